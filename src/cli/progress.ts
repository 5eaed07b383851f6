import { SingleBar } from "cli-progress";
import { paint } from "./terminal.ts";

/** Shows how far a batch is: a bar on a terminal of its own, a plain line now and then elsewhere. */
export interface Progress {
  /** Told of each row that has settled. */
  advance(failed: boolean): void;
  /** Writes a line that stays, beside the bar. */
  note(text: string): void;
  stop(): void;
}

const PLAIN_LINE_EVERY_MS = 10_000;

/**
 * @param total how many rows there are; `undefined` where that is not known beforehand
 * @param isShared whether results come out on the same terminal: they show the progress, and would tear a bar apart
 */
export function startProgress(
  stream: NodeJS.WriteStream,
  total: number | undefined,
  isShared = false,
): Progress {
  const startedAt = performance.now();
  let done = 0;
  let failed = 0;
  const status = () => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const rate = seconds > 0 ? done / seconds : 0;
    const left = total === undefined || rate === 0 ? "" : `, ${duration((total - done) / rate)} left`;
    return `${failed} failed, ${rate.toFixed(1)}/s${left}`;
  };
  const count = (hasFailed: boolean) => {
    done++;
    if (hasFailed) failed++;
  };

  if (!stream.isTTY || isShared || process.env.TERM === "dumb") {
    let saidAt = startedAt;
    return {
      advance(hasFailed) {
        count(hasFailed);
        if (performance.now() - saidAt < PLAIN_LINE_EVERY_MS) return;
        saidAt = performance.now();
        stream.write(`${done}${total === undefined ? "" : `/${total}`} done, ${status()}\n`);
      },
      note: (text) => void stream.write(`${text}\n`),
      stop() {},
    };
  }

  const counted =
    total === undefined ? "{value} done" : `${paint("cyan", "{bar}", stream)} {value}/{total} done`;
  const bar = new SingleBar({
    stream,
    format: `${counted}, {status}`,
    barsize: 20,
    // A crash would leave the terminal without its cursor, or without line breaks.
    hideCursor: null,
    linewrap: true,
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is the batch's own.
    barCompleteChar: "=",
    barIncompleteChar: "-",
  });
  const draw = () => bar.start(total ?? 0, done, { status: status() });
  draw();
  return {
    advance(hasFailed) {
      count(hasFailed);
      bar.update(done, { status: status() });
    },
    note(text) {
      const { isActive } = bar;
      bar.stop();
      stream.write(`${text}\n`);
      if (isActive) draw();
    },
    stop: () => bar.stop(),
  };
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
