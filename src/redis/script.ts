import { kindOf } from "../core/checks.ts";

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
  /** Returns the numbers of the script's last line: `real`, `behind`, `at`, `born` and `free`. */
  run(...args: (string | number)[]): Promise<number[]>;
  /** Connects a client that nobody has connected yet, and returns whether it can be asked now. */
  ready(): boolean;
}

/**
 * The fleet's limit, in one string of JSON:
 *
 * - `ends`: when the last places become free again. Up to `cut`, other calls already wait for older ones.
 * - `holes`: places that were given back, as pairs of time and length.
 * - `real`, `behind`, `open`: a clock that stands still until `open` while the fleet is held back, and goes on when the
 *   clock of Redis was set back, so that places keep their order.
 * - `born`: when this memory began. Redis may lose it.
 *
 * A place may lie ahead: the call that has it waits for it alone. The places of a process that died lapse by themselves.
 *
 * - `take LIMIT LENGTH EXTRA BORN UNUSED` takes a place. One in the next 1.5 s is longer by EXTRA. BORN, if not 0,
 *   is the memory of a place that still holds: if this is another memory, that place was lost, and a second has to pass.
 *   UNUSED is the end of a place that could not be used in time. It is given up, unless another call waits for it.
 * - `give AT LENGTH BORN` gives a place back.
 * - `hold MS` holds the fleet back.
 * - `look` only answers whether the fleet is held back.
 */
const SCRIPT = `
local op = ARGV[1]
local function argument(i) return tonumber(ARGV[i + 1]) end

local clock = redis.call('time')
local real = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local text = redis.call('get', KEYS[1])
local s = text and cjson.decode(text) or {born = real, real = real, behind = 0, open = 0, cut = 0, ends = {}, holes = {}}
local back = math.max(0, s.real - real)
s.real, s.behind, s.open = real, s.behind - back, s.open - back

local holdMs, unused = 0, nil
if op == 'hold' then holdMs = argument(1) end
if op == 'take' then
  local born = argument(4)
  if born > 0 and born ~= s.born then holdMs = argument(2) end
  unused = argument(5)
end
local open = math.max(real, s.open)
s.open = math.max(open, real + holdMs)
s.behind = s.behind + s.open - open
local now, at = real - s.behind, s.open - s.behind

local ends, holes = {}, {}
for _, e in ipairs(s.ends) do
  if e == unused and s.cut <= now then unused = nil elseif e > now then table.insert(ends, e) end
end
for _, hole in ipairs(s.holes) do if hole[1] > now then table.insert(holes, hole) end end

if op == 'give' and argument(3) == s.born and argument(1) > now then
  table.insert(holes, {argument(1), argument(2)})
end

local free = 0
if op == 'take' then
  local limit, length, extra = argument(1), argument(2), argument(3)
  table.sort(ends)
  local first
  for i, hole in ipairs(holes) do
    if hole[1] >= at and hole[2] >= length and (not first or hole[1] < holes[first][1]) then first = i end
  end
  if first then
    at = table.remove(holes, first)[1]
  else
    if #ends >= limit then at = math.max(at, ends[#ends - limit + 1]) end
    free = at + length + (at < now + 1500 and extra or 0)
    table.insert(ends, free)
    while #ends > limit do s.cut = table.remove(ends, 1) end
  end
end

s.ends, s.holes = ends, holes
local last = at
for _, e in ipairs(ends) do last = math.max(last, e) end
redis.call('set', KEYS[1], cjson.encode(s), 'PX', last - now + 1000)
return {real, s.behind, at, s.born, free}
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
      sha ??= await sha1(SCRIPT);
      const answer = await call("sha", sha, texts).catch((error: unknown) => {
        if (!String((error as Error | undefined)?.message).startsWith("NOSCRIPT")) throw error;
        return call("script", SCRIPT, texts);
      });
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
