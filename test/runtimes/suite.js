// What has to work on every runtime. It imports nothing: whoever runs it hands over the package's parts.

/**
 * @typedef {object} Parts
 * @property {typeof import("complycube-tokens")} main
 * @property {typeof import("complycube-tokens/referrer")} referrer
 * @property {typeof import("complycube-tokens/handler")} handler
 * @property {typeof import("complycube-tokens/fetch")} fetch
 * @property {typeof import("complycube-tokens/client")} client
 *
 * @typedef {object} Settings
 * @property {string} key
 * @property {string} mockUrl Prism, which answers as the spec says
 * @property {string} faultsUrl what Prism cannot do: see faults.ts
 * @property {boolean} isBrowser
 *
 * @typedef {{ name: string, error?: string }} Result
 */

const WEB = { referrer: "https://www.example.com/*" };
const MOBILE = { appId: "com.myapp.demo.app" };

/**
 * Runs every test; one that fails has an `error`.
 *
 * @param {Parts} parts
 * @param {Settings} settings
 * @returns {Promise<Result[]>}
 */
export async function runSuite(parts, { key, mockUrl, faultsUrl, isBrowser }) {
  const { ComplyCube } = parts.main;
  /** @param {string} baseUrl @param {import("complycube-tokens").ComplyCubeOptions} [options] */
  const client = (baseUrl, options) =>
    new ComplyCube({ apiKey: key, baseUrl, dangerouslyAllowBrowser: isBrowser, ...options });
  const unique = () => Math.random().toString(36).slice(2);
  /** @param {string} path */
  const told = async (path) => (await fetch(`${faultsUrl}/${path}`)).text();

  /** @type {Record<string, () => Promise<void> | void>} */
  const tests = {
    async "mints a web token"() {
      equal(await client(mockUrl).token.generate("CLIENT_ID", WEB), "<CLIENT_TOKEN>");
    },
    async "mints a mobile token"() {
      equal(await client(mockUrl).token.generate("CLIENT_ID", MOBILE), "<CLIENT_TOKEN>");
    },
    async "gives a typed error"() {
      const error = await failure(client(`${faultsUrl}/refuses`).token.generate("NO_SUCH_CLIENT", WEB));
      equal(error instanceof parts.main.InvalidRequestError, true);
      equal(error.name, "InvalidRequestError");
      equal(error.code, "api");
      equal(error.status, 400);
      equal(error.param, "clientId");
    },
    async "hangs up on an API that does not answer in time"() {
      const name = unique();
      const calling = client(`${faultsUrl}/silent/${name}`, { timeoutMs: 1_000, maxRetries: 0 });
      const error = await failure(calling.token.generate("CLIENT_ID", WEB));
      equal(error.name, "TimeoutError");
      equal(error.code, "timeout");
      equal(await told(`left/${name}`), "yes");
    },
    async "hangs up on a body that stalls"() {
      const name = unique();
      const calling = client(`${faultsUrl}/stalls/${name}`, { timeoutMs: 1_000, maxRetries: 0 });
      equal((await failure(calling.token.generate("CLIENT_ID", WEB))).code, "timeout");
      equal(await told(`left/${name}`), "yes");
    },
    async "hangs up and rejects with the reason of an abort in flight"() {
      const name = unique();
      const controller = new AbortController();
      const reason = new Error("changed my mind");
      const call = client(`${faultsUrl}/silent/${name}`).token.generate("CLIENT_ID", WEB, {
        signal: controller.signal,
        maxRetries: 0, // Else the backoff after the timeout would reject with the same reason, abort or none.
      });
      equal(await told(`arrived/${name}`), "yes");
      controller.abort(reason);
      equal(await failure(call), reason);
      equal(await told(`left/${name}`), "yes");
    },
    async "tries again after a 503"() {
      /** @type {unknown[]} */
      const statuses = [];
      const calling = client(`${faultsUrl}/busy-once/${unique()}`, {
        onAttempt: ({ status }) => statuses.push(status),
      });
      equal(await calling.token.generate("CLIENT_ID", WEB), "<CLIENT_TOKEN>");
      equal(statuses.join(), "503,200");
    },
    async "sends the request again after a connection that was reset"() {
      equal(
        await client(`${faultsUrl}/resets-once/${unique()}`).token.generate("CLIENT_ID", WEB),
        "<CLIENT_TOKEN>",
      );
    },
    async "sends the request again at once after a kept connection that the server had closed"() {
      const name = unique();
      /** @type {number[]} */
      const waits = [];
      const calling = client(`${faultsUrl}/closes-kept/${name}`, {
        onAttempt: ({ retryInMs = 0 }) => waits.push(retryInMs),
      });
      for (let call = 1; call <= 3; call++) {
        equal(await calling.token.generate("CLIENT_ID", WEB), "<CLIENT_TOKEN>");
        await new Promise((resolve) => setTimeout(resolve, 50)); // A fetch takes its connection back a little later.
      }
      equal(await told(`closed/${name}`), "yes");
      equal(waits.filter((ms) => ms > 0).join(), "");
    },
    async "refuses a bad pattern before anything is sent"() {
      let sent = 0;
      const calling = client(mockUrl, {
        fetch: (url, init) => {
          sent += 1;
          return fetch(url, init);
        },
      });
      const error = await failure(calling.token.generate("CLIENT_ID", { referrer: "www.example.com" }));
      equal(error.name, "ReferrerPatternError");
      equal(error instanceof parts.referrer.ReferrerPatternError, true);
      equal(sent, 0);
    },
    async "shows the key nowhere"() {
      const calling = client(`${faultsUrl}/refuses`);
      const error = await failure(calling.token.generate("CLIENT_ID", WEB));
      // Whoever started the runtime searches what it prints.
      console.log(calling, calling.token);
      console.error(error);
      for (const shown of [calling, calling.token, error]) {
        const texts = [String(shown), JSON.stringify(shown), String(shown.stack), everything(shown)];
        for (const text of texts) equal(text?.includes(key) ?? false, false);
      }
    },
    "knows match patterns"() {
      const { explainReferrer, matchesReferrer } = parts.referrer;
      equal(matchesReferrer("https://*.example.com/*", "https://app.example.com/"), true);
      equal(
        explainReferrer({ pattern: "https://www.example.com/a/*", pageUrl: "https://www.example.com/a/b" })
          .reason,
        "path-not-sent",
      );
    },
    "reads a token"() {
      const payload = btoa('{"exp":1800003600}').replace(/=+$/, "");
      equal(
        parts.main.inspectToken(`e30.${payload}.e30`).expiresAt?.toISOString(),
        "2027-01-15T09:00:00.000Z",
      );
    },
    async "mints through the two plain clients"() {
      const body = { clientId: "CLIENT_ID", ...WEB };
      const plain = parts.fetch.createTokensFetch({ apiKey: key, baseUrl: mockUrl });
      equal((await plain.POST("/v1/tokens", { body })).data?.token, "<CLIENT_TOKEN>");
      const { client: hey, createClient, generateToken } = parts.client;
      equal(typeof hey, "object");
      const { data } = await generateToken({
        client: createClient({ baseUrl: mockUrl, auth: key }),
        body,
      });
      equal(data?.token, "<CLIENT_TOKEN>");
    },
  };
  if (isBrowser) {
    tests["refuses a page that does not insist"] = () => {
      try {
        new ComplyCube({ apiKey: key });
      } catch (error) {
        equal(String(error).includes("dangerouslyAllowBrowser"), true);
        return;
      }
      throw new Error("It was let in.");
    };
  } else {
    tests["answers a frontend through the handler"] = async () => {
      const handle = parts.handler.createTokenHandler({
        complycube: client(mockUrl),
        target: WEB,
        authenticate: () => ({ clientId: "CLIENT_ID" }),
      });
      const request = new Request("https://www.example.com/token", {
        method: "POST",
        headers: { "sec-fetch-site": "same-origin" },
      });
      const answer = await handle(request);
      equal(answer.status, 200);
      equal((await answer.json()).token, "<CLIENT_TOKEN>");
    };
  }
  /** @type {Result[]} */
  const results = [];
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      results.push({ name });
    } catch (error) {
      results.push({ name, error: String(error) });
    }
  }
  return results;
}

/** @param {unknown} actual @param {unknown} expected */
function equal(actual, expected) {
  if (!Object.is(actual, expected)) throw new Error(`${String(actual)} is not ${String(expected)}`);
}

/**
 * What a call fails with.
 *
 * @param {Promise<unknown>} call
 * @returns {Promise<any>}
 */
async function failure(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("It succeeded.");
}

/**
 * Every own property at any depth, hidden ones too.
 *
 * @param {unknown} value
 * @returns {string}
 */
function everything(value, seen = new Set()) {
  if (typeof value !== "object" || value === null || seen.has(value)) return String(value);
  seen.add(value);
  return Reflect.ownKeys(value)
    .map((name) => `${String(name)}: ${everything(Reflect.get(value, name), seen)}`)
    .join("\n");
}
