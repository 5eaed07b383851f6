import { API_KEY, CLIENT_ID, REFERRER, TIMEOUT_MS } from "./exchange.ts";

/** Mints one token. */
export interface Mint {
  (): Promise<string>;
  /** Opens the connection of the next call, where the client can. */
  preconnect?(): void;
}

/** One way to mint a token. All send the same request and give back the token's text. */
export interface Rival {
  name: string;
  /** Loads what it needs, and nothing of the others. */
  load(url: string): Promise<Mint>;
}

const body = { clientId: CLIENT_ID, referrer: REFERRER };
const headers = { authorization: API_KEY, "content-type": "application/json" };

const bareFetch: Rival = {
  name: "fetch",
  async load(url) {
    return async () => {
      const response = await fetch(`${url}/v1/tokens`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return ((await response.json()) as { token: string }).token;
    };
  },
};

/** What anyone has to write around fetch to be sure that the call ends. */
const armedFetch: Rival = {
  name: "fetch, with a deadline",
  async load(url) {
    return async () => {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
      try {
        const response = await fetch(`${url}/v1/tokens`, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
          signal: controller.signal,
        });
        if (!response.ok) throw new Error(`status ${response.status}`);
        return ((await response.json()) as { token: string }).token;
      } finally {
        clearTimeout(timer);
      }
    };
  },
};

const undiciRequest: Rival = {
  name: "undici.request",
  async load(url) {
    const { request } = await import("undici");
    return async () => {
      const answer = await request(`${url}/v1/tokens`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
      return ((await answer.body.json()) as { token: string }).token;
    };
  },
};

/** As little as it takes on a kept connection of Node.js's own. */
const nodeHttp: Rival = {
  name: "node:http, with a deadline",
  async load(url) {
    const target = new URL(`${url}/v1/tokens`);
    const { Agent, request } =
      target.protocol === "https:" ? await import("node:https") : await import("node:http");
    const agent = new Agent({ keepAlive: true });
    const post = () =>
      new Promise<string>((resolve, reject) => {
        const sent = request(target, { agent, method: "POST", headers });
        const timer = setTimeout(() => sent.destroy(new Error("timeout")), TIMEOUT_MS);
        const fail = (error: Error) => {
          clearTimeout(timer);
          reject(error);
        };
        sent.on("error", fail);
        sent.on("response", (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", fail);
          response.on("end", () => {
            clearTimeout(timer);
            if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
            else reject(new Error(`status ${response.statusCode}`));
          });
        });
        sent.end(JSON.stringify(body));
      });
    return async () => (JSON.parse(await post()) as { token: string }).token;
  },
};

const openapiFetch: Rival = {
  name: "openapi-fetch",
  async load(url) {
    const { default: createClient } = await import("openapi-fetch");
    const client = createClient<import("complycube-tokens/fetch").paths>({ baseUrl: url, headers });
    return async () => {
      const { data } = await client.POST("/v1/tokens", { body });
      if (data === undefined) throw new Error("no token");
      return data.token;
    };
  },
};

const heyApi: Rival = {
  name: "Hey API client",
  async load(url) {
    const { createClient, generateToken } = await import("complycube-tokens/client");
    const client = createClient({ baseUrl: url, auth: API_KEY });
    return async () => {
      const { data } = await generateToken({ client, body });
      if (data === undefined) throw new Error("no token");
      return data.token;
    };
  },
};

const official: Rival = {
  name: "@complycube/api",
  async load(url) {
    const { ComplyCube } = await import("@complycube/api");
    const client = new ComplyCube({ apiKey: API_KEY });
    // Its base URL is fixed; its axios instance is not. Its sockets are kept alive, by Node's own default agent.
    (
      client as unknown as { axiosInstance: { defaults: { baseURL: string } } }
    ).axiosInstance.defaults.baseURL = `${url}/v1`;
    const target = { referrer: REFERRER } as never;
    return async () => (await client.token.generate(CLIENT_ID, target)) as unknown as string;
  },
};

const ours: Rival = {
  name: "complycube-tokens",
  async load(baseUrl) {
    const { ComplyCube } = await import("complycube-tokens");
    const client = new ComplyCube({ apiKey: API_KEY, baseUrl, timeoutMs: TIMEOUT_MS, rateLimit: false });
    const mint = () => client.token.generate(CLIENT_ID, { referrer: REFERRER });
    return Object.assign(mint, { preconnect: () => client.preconnect() });
  },
};

const oursOverFetch: Rival = {
  name: "complycube-tokens, fetch",
  async load(baseUrl) {
    const { ComplyCube } = await import("complycube-tokens");
    const { token } = new ComplyCube({
      apiKey: API_KEY,
      baseUrl,
      timeoutMs: TIMEOUT_MS,
      rateLimit: false,
      fetch,
    });
    return () => token.generate(CLIENT_ID, { referrer: REFERRER });
  },
};

/** Every rival, in the order of the table. */
export const rivals: readonly Rival[] = [
  bareFetch,
  armedFetch,
  undiciRequest,
  nodeHttp,
  openapiFetch,
  heyApi,
  official,
  ours,
  oursOverFetch,
];
