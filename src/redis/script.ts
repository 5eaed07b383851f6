import { kindOf } from "../core/checks.ts";
import { OVERDUE_MS, WINDOW_MS } from "../core/limit/sliding-window.ts";

/** How often a waiting call asks at least, so that it moves up when others in front of it have left. */
const ASK_EVERY_MS = 1_000;
/** How long Redis keeps the limit of a fleet that sends nothing. A process that is idle for less notices a loss. */
export const MEMORY_MS = 3_600_000;

/** The methods that are used of a client of `ioredis`: one server, Sentinel or Cluster. */
interface Ioredis {
  readonly status: string;
  connect(): Promise<unknown>;
  evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...rest: string[]): Promise<unknown>;
}

/** The methods that are used of a client of `redis` (node-redis): one server, Sentinel, Cluster or pool. */
interface NodeRedis {
  readonly isOpen: boolean;
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of `ioredis` or of `redis`, as the app has it. */
export type RedisClient = Ioredis | NodeRedis;

/** The script on one key, for either kind of client. */
export interface Script {
  /** Returns the numbers of the script's last line: the ticket and the milliseconds to wait. */
  run(...args: (string | number)[]): Promise<number[]>;
  /** Connects a client that nobody has connected yet, and returns whether it can be asked now. */
  ready(): boolean;
}

/**
 * The fleet's limit, in one string of JSON. It is the limit of one process (`SlidingWindow`), by the clock of Redis:
 *
 * - `sent`: the calls that went, each as its ticket and the time until which it counts.
 * - `line`: the calls that wait, in the order of their tickets, each with the time at which it will ask again. One that
 *   does not has vanished with its process; a call that is on time itself knows that sooner.
 * - `next`: the next ticket. Tickets begin with `born`, the time at which this memory began, so a ticket that it cannot
 *   have given tells that Redis has lost the one before.
 * - `real`, `open`: the clock when last read, and the time until which the fleet is held back. Where the clock was set
 *   back, all times go with it.
 *
 * - `ask TICKET KNOWN LIMIT LENGTH` returns a ticket (a new one for 0) and how many milliseconds to wait before the call
 *   asks again; 0 lets it go, and its place counts for LENGTH. KNOWN is the last ticket with which this process sent.
 * - `leave TICKET` gives a place back.
 * - `late TICKET MS` holds a place for so long from now on.
 * - `hold 0 MS` holds the fleet back.
 * - `back 0 MS` does so for a process that has found Redis again, unless others use it.
 */
const SCRIPT = `
local op, ticket, a, b, length = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('time')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local text = redis.call('get', KEYS[1])
local s = text and cjson.decode(text) or {born = now, next = now, real = now, open = 0, sent = {}, line = {}}

local back = math.max(0, s.real - now)
s.real, s.open = now, s.open - back
local function keep(list, slack)
  local kept = {}
  for _, entry in ipairs(list) do
    if entry[2] + slack > now and entry[1] ~= ticket then table.insert(kept, entry) end
  end
  return kept
end
local slack = ${WINDOW_MS}
for _, list in ipairs({s.sent, s.line}) do
  for _, entry in ipairs(list) do
    entry[2] = entry[2] - back
    if op == 'ask' and entry[1] == ticket and entry[2] + ${OVERDUE_MS} > now then slack = ${OVERDUE_MS} end
  end
end
local sent, line = keep(s.sent, 0), keep(s.line, slack)
table.sort(sent, function(one, other) return one[2] < other[2] end)

local waitMs = 0
if op == 'ask' then
  local known, limit = math.max(ticket, a), b
  if known >= s.next then
    s.next, s.open = known + 1, math.max(s.open, now + length)
  elseif known > 0 and known < s.born then
    s.open = math.max(s.open, s.born + length)
  end
  if ticket < s.born or ticket >= s.next then ticket, s.next = s.next, s.next + 1 end
  local ahead = 0
  while line[ahead + 1] and line[ahead + 1][1] < ticket do ahead = ahead + 1 end
  local freed = sent[#sent + ahead % limit - limit + 1]
  waitMs = math.max(now, s.open, freed and freed[2] or 0) + math.floor(ahead / limit) * length - now
  waitMs = math.min(waitMs, ${ASK_EVERY_MS})
  if waitMs > 0 then
    table.insert(line, ahead + 1, {ticket, now + waitMs})
  else
    table.insert(sent, {ticket, now + length})
  end
elseif op == 'late' and ticket >= s.born and ticket < s.next then
  table.insert(sent, {ticket, now + a})
elseif op == 'hold' or op == 'back' and #sent == 0 then
  s.open = math.max(s.open, now + a)
end

s.sent, s.line = sent, line
redis.call('set', KEYS[1], cjson.encode(s), 'PX', ${MEMORY_MS})
return {ticket, waitMs}
`;

/** Runs the script on the app's own client. It defines no command and adds no listener there. */
export function scriptOn(store: unknown, key: string): Script {
  const isFunction = (name: string) =>
    typeof (store as Record<string, unknown> | null | undefined)?.[name] === "function";
  const isIoredis = isFunction("defineCommand") && isFunction("evalsha");
  if (!isIoredis && !(isFunction("evalSha") && isFunction("sendCommand"))) {
    throw new TypeError(
      `store must be a client of ioredis (Redis or Cluster) or of redis (createClient, createCluster, createSentinel or createClientPool), not ${kindOf(store)}. Other clients, such as Bun.redis and @upstash/redis, run scripts in another way; make a client of ioredis or redis for the same server.`,
    );
  }
  const client = store as RedisClient;
  let sha: string | undefined;
  let hasConnected = false;

  const call = (name: "sha" | "script", text: string, args: string[]): Promise<unknown> => {
    if ("evalsha" in client) return client[name === "sha" ? "evalsha" : "eval"](text, 1, key, ...args);
    return (client as NodeRedis)[name === "sha" ? "evalSha" : "eval"](text, { keys: [key], arguments: args });
  };

  return {
    async run(...args) {
      const texts = args.map(String);
      // Until the digest is known the whole script goes: to wait for it would change the order of the calls.
      if (sha === undefined) void sha1(SCRIPT).then((digest) => (sha = digest));
      const answer = await (sha === undefined
        ? call("script", SCRIPT, texts)
        : call("sha", sha, texts).catch((error: unknown) => {
            if (!String((error as Error | undefined)?.message).startsWith("NOSCRIPT")) throw error;
            return call("script", SCRIPT, texts);
          }));
      return (answer as unknown[]).map(Number);
    },
    ready() {
      const isLazy = "status" in client ? client.status === "wait" : !client.isOpen;
      // Only once, so that a client that the app has closed stays closed.
      if (isLazy && !hasConnected) client.connect().catch(() => {});
      hasConnected = true;
      return "status" in client ? client.status === "ready" : (client.isReady ?? client.isOpen);
    },
  };
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
