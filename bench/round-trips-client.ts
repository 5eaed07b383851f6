// One client in a process of its own, for round-trips.ts. Usage: fork round-trips-client.ts RIVAL SERVER_URL
import { TOKEN } from "./exchange.ts";
import { rivals } from "./rivals.ts";
import type { Outcome, Task } from "./round-trips.ts";

const [name, url = ""] = process.argv.slice(2);
const rival = rivals.find((each) => each.name === name);
if (rival === undefined) throw new Error(`There is no rival ${name}.`);
const mint = await rival.load(url);

process.on("message", async ({ task }: { task: Task }) => process.send?.(await perform(task)));
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function perform(task: Task): Promise<Outcome> {
  if (task === "preconnect") {
    mint.preconnect?.();
    return mint.preconnect === undefined ? "nothing" : "minted";
  }
  try {
    for (let call = 0; call < task.calls; call++) {
      const tokens = await Promise.all(Array.from({ length: task.atOnce }, mint));
      if (tokens.some((token) => token !== TOKEN)) return "fails";
    }
    return "minted";
  } catch {
    return "fails";
  }
}
