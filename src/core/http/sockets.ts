import type { Agent, ClientRequestArgs } from "node:http";
import type * as Https from "node:https";
import type { Socket } from "node:net";

/** The module of Node.js for one scheme, and the agent whose sockets all clients of the process share. */
interface Sockets {
  module: typeof Https;
  agent: Https.Agent;
  /** Connections that were opened before a call needed them, at most one to each host and port. */
  spares: Map<string, Socket>;
  /** Opens a connection, whether or not there is a spare one. */
  connect(options: ClientRequestArgs): Socket;
}

/** The longest delay of a timer. An agent reads a server's `Keep-Alive` hint only where it has a timeout itself. */
const NO_IDLE_LIMIT_MS = 2 ** 31 - 1;
/** How often an idle connection is probed, so that a dead one is found, and so that routers do not drop a live one. */
const TCP_KEEP_ALIVE_MS = 15_000;
/** A spare whose handshake is still not done after this time is closed, or the next call would wait for it in vain. */
const OPEN_AHEAD_MS = 10_000;

const byScheme = new Map<string, Sockets>();
const openedAhead = new WeakSet<object>();

/** Returns the module and the agent for the scheme of a URL. They are made when they are first needed. */
export function socketsOf({ protocol }: URL): Sockets {
  let sockets = byScheme.get(protocol);
  if (sockets === undefined) {
    sockets = makeSockets(process.getBuiltinModule(`node:${protocol.slice(0, -1)}`) as typeof Https);
    byScheme.set(protocol, sockets);
  }
  return sockets;
}

function makeSockets(module: typeof Https): Sockets {
  const agent = new module.Agent({
    keepAlive: true,
    keepAliveMsecs: TCP_KEEP_ALIVE_MS,
    timeout: NO_IDLE_LIMIT_MS,
    ...proxyOf(module.globalAgent),
  });
  const spares = new Map<string, Socket>();
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const name = agent.getName(options);
    const spare = spares.get(name);
    spares.delete(name);
    if (spare === undefined || spare.destroyed) return connect(options, callback);
    if (spare.readableLength === 0) return spare.setTimeout(0).ref();
    spare.destroy(); // Bytes that came before any request would be read as its answer.
    return connect(options, callback);
  };
  return { module, agent, spares, connect: (options) => connect(options) as Socket };
}

/** Returns the proxy of an agent. The global agent has one under `--use-env-proxy` and NODE_USE_ENV_PROXY=1. */
function proxyOf(agent: Agent): { proxyEnv?: NodeJS.Dict<string> } {
  const { proxyEnv } = (agent as Agent & { options: { proxyEnv?: NodeJS.Dict<string> } }).options;
  return proxyEnv === undefined ? {} : { proxyEnv };
}

/** Opens the connection of the next call, unless one is free or being opened. Behind a proxy it does nothing. */
export function openAhead(url: URL): void {
  const { agent, spares, connect } = socketsOf(url);
  const address = addressOf(url);
  const name = agent.getName(address);
  if (spares.has(name) || agent.freeSockets[name] !== undefined || proxyOf(agent).proxyEnv) return;
  const isAddress = process.getBuiltinModule("node:net").isIP(address.host) !== 0;
  const spare = connect({
    ...address,
    servername: isAddress ? "" : address.host,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    _agentKey: name, // The agent keeps the TLS session under this name.
  } as ClientRequestArgs);
  spares.set(name, spare);
  openedAhead.add(spare);
  spare.unref().on("error", () => {}); // The next call then opens its own.
  spare.on("close", () => spares.get(name) === spare && spares.delete(name));
  let isOpen = false;
  spare.once(url.protocol === "https:" ? "secureConnect" : "connect", () => (isOpen = true));
  spare.setTimeout(OPEN_AHEAD_MS, () => isOpen || spare.destroy());
}

/** Returns a hint where the environment names a proxy that was not used, else an empty text. */
export function hintAtProxy(url: URL): string {
  const { env } = process;
  const name = ["HTTPS_PROXY", "https_proxy"].find((each) => env[each]);
  const exceptions = (env.NO_PROXY ?? env.no_proxy ?? "").split(/[\s,]+/);
  const isException = exceptions.some((host) => host === "*" || (host !== "" && url.hostname.endsWith(host)));
  const isUsed = proxyOf(socketsOf(url).agent).proxyEnv !== undefined;
  if (name === undefined || isException || isUsed || url.protocol !== "https:") return "";
  return (
    ` ${name} is set and was not used: start Node.js (22.21 or 24.5, or later) with NODE_USE_ENV_PROXY=1, ` +
    "or pass a fetch that goes through the proxy."
  );
}

/** Whether a connection was opened before its request was made, so that the server may have closed it meanwhile. */
export function wasOpenedAhead(socket: Socket | null): boolean {
  return socket !== null && openedAhead.has(socket);
}

/** Closes the idle connections to the host and port of a URL. */
export function closeIdle(url: URL): void {
  const { agent } = socketsOf(url);
  for (const socket of [...(agent.freeSockets[agent.getName(addressOf(url))] ?? [])]) socket.destroy();
}

function addressOf({ hostname, port, protocol }: URL): { host: string; port: number } {
  return {
    host: hostname.replace(/^\[|\]$/g, ""), // As Node.js writes an IPv6 address.
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  };
}
