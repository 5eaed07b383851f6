import { kindOf } from "../core/checks.ts";

/** What is used of a client of `ioredis`: one server, Sentinel or Cluster. */
interface Ioredis {
  readonly status: string;
  connect(): Promise<unknown>;
  evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...rest: string[]): Promise<unknown>;
}

/** What is used of a client of `redis` (node-redis): one server, Sentinel, Cluster or pool. */
interface NodeRedis {
  readonly isOpen: boolean;
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of `ioredis` or of `redis`, as the app has it. */
export type RedisClient = Ioredis | NodeRedis;

/** The script on one key, wherever the client is. */
export interface Script {
  /** @returns the whole numbers that the script answers with */
  run(...args: (string | number)[]): Promise<number[]>;
  /** Connects a client that nobody has connected yet, and returns whether it can be asked now. */
  ready(): boolean;
}

/**
 * All that the fleet knows, in one string: `ends`, when the last places are free again (up to `cut`, others wait for
 * those); `holes`, places that were given
 * back, as pairs of time and length; and a clock that stands still while the fleet is held back, and goes on when the
 * clock of Redis was set back, so that places keep their order. A place may lie ahead: whoever has it waits for it
 * alone, and what is left of a process that died lapses by itself.
 *
 * take LIMIT LENGTH EXTRA BORN END: takes a place; one in the next 1.5 s is EXTRA longer. BORN, if not 0, is the memory
 * of a place that still holds: if this is another memory, that one was lost, and a second has to pass. END is that of a
 * place which could not be used in time: it is given up, unless someone waits for it.
 * look: whether the fleet is held back. give AT LENGTH BORN: gives it back. hold MS: holds the fleet back.
 */
const SCRIPT = `
local op, a, b, c, d, e = ARGV[1], unpack(ARGV, 2)
a, b, c, d, e = tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e)
local time = redis.call('time')
local real = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local text = redis.call('get', KEYS[1])
local s = text and cjson.decode(text) or {born = real, real = real, behind = 0, open = 0, cut = 0, ends = {}, holes = {}}
local back = math.max(0, s.real - real)
s.real, s.behind, s.open = real, s.behind - back, s.open - back
local ms = op == 'hold' and a or op == 'take' and d > 0 and d ~= s.born and b or 0
local from = math.max(real, s.open)
s.open = math.max(from, real + ms)
s.behind = s.behind + s.open - from
local now, at = real - s.behind, s.open - s.behind
local ends, holes, hole, free = {}, {}, nil, 0
for _, x in ipairs(s.ends) do
  if op == 'take' and x == e and s.cut <= now then e = nil elseif x > now then table.insert(ends, x) end
end
for _, x in ipairs(s.holes) do if x[1] > now then table.insert(holes, x) end end
if op == 'give' and c == s.born and a > now then table.insert(holes, {a, b}) end
if op == 'take' then
  table.sort(ends)
  for i, x in ipairs(holes) do
    if x[1] >= at and x[2] >= b and (not hole or x[1] < holes[hole][1]) then hole = i end
  end
  if hole then
    at = table.remove(holes, hole)[1]
  else
    if #ends >= a then at = math.max(at, ends[#ends - a + 1]) end
    free = at + b + (at < now + 1500 and c or 0)
    table.insert(ends, free)
    while #ends > a do s.cut = table.remove(ends, 1) end
  end
end
s.ends, s.holes = ends, holes
redis.call('set', KEYS[1], cjson.encode(s), 'PX', math.max(at, unpack(ends)) - now + 1000)
return {real, s.behind, at, s.born, free}
`;

/** Runs the script straight on the app's own client, and leaves nothing on it: no command, no listener. */
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
      sha ??= await sha1(SCRIPT);
      const answer = await call("sha", sha, texts).catch((error: unknown) => {
        if (!String((error as Error | undefined)?.message).startsWith("NOSCRIPT")) throw error;
        return call("script", SCRIPT, texts);
      });
      return (answer as unknown[]).map(Number);
    },
    ready() {
      const isLazy = "status" in client ? client.status === "wait" : !client.isOpen;
      // Never one that the app has closed.
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
