import { type ChildProcess, fork } from "node:child_process";
import { root } from "../scripts/root.ts";

/** A process of the benchmark that answers each message with one message. */
export interface Child<Message, Answer> {
  ask(message: Message): Promise<Answer>;
  stop(): void;
}

const ANSWER_TIMEOUT_MS = 60_000;

/** Starts a script of this folder; resolves with it and its first message. */
export async function startChild<First, Message, Answer>(
  script: string,
  args: readonly string[] = [],
  execArgv: readonly string[] = [],
): Promise<Child<Message, Answer> & { first: First }> {
  const child = fork(`${root}bench/${script}`, args, { cwd: root, execArgv: [...execArgv] });
  const first = (await nextMessage(child, script)) as First;
  return {
    first,
    async ask(message) {
      const answer = nextMessage(child, script);
      child.send(message as object);
      return (await answer) as Answer;
    },
    stop: () => void child.kill(),
  };
}

function nextMessage(child: ChildProcess, script: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      child.off("message", answered);
      child.off("exit", ended);
      then();
    };
    const answered = (message: unknown) => settle(() => resolve(message));
    const ended = (code: number | null) =>
      settle(() =>
        reject(new Error(`${child.spawnargs.slice(-2).join(" ")}: ${script} ended with ${code}.`)),
      );
    const timer = setTimeout(
      () => settle(() => reject(new Error(`${script} gave no answer.`))),
      ANSWER_TIMEOUT_MS,
    );
    child.once("message", answered);
    child.once("exit", ended);
  });
}
