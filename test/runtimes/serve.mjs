// The handler behind a runtime's own server, as people start it. Usage: RUNTIME serve.mjs SETTINGS
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";

const { key, mockUrl, faultsUrl } = JSON.parse(process.argv.at(-1));

/** @param {string} baseUrl @param {number} [timeoutMs] */
const handlerOver = (baseUrl, timeoutMs) =>
  createTokenHandler({
    complycube: new ComplyCube({ apiKey: key, baseUrl }),
    target: { referrer: "https://www.example.com/*" },
    authenticate: () => ({ clientId: "CLIENT_ID" }),
    onError: () => {},
    timeoutMs,
  });

/** @param {(request: Request) => Promise<Response>} fetch */
function serve(fetch) {
  if (globalThis.Bun) {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
    return { url: server.url, stop: () => server.stop(true) };
  }
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, fetch);
  return { url: `http://127.0.0.1:${server.addr.port}/`, stop: () => server.shutdown() };
}

/** @param {(request: Request) => Promise<Response>} handler */
async function ask(handler) {
  const { url, stop } = serve(handler);
  const answer = await fetch(url, { method: "POST", headers: { "sec-fetch-site": "same-origin" } });
  const body = await answer.text();
  await stop();
  return `${answer.status} ${body}`;
}

const tests = {
  "the runtime's own server answers with a token": {
    answer: await ask(handlerOver(mockUrl)),
    wanted: /^200 \{"token":"<CLIENT_TOKEN>"\}$/,
  },
  "the runtime's own server answers 504 when the API is silent": {
    answer: await ask(handlerOver(`${faultsUrl}/silent/served`, 500)),
    wanted: /^504 /,
  },
};
const results = Object.entries(tests).map(([name, { answer, wanted }]) =>
  wanted.test(answer) ? { name } : { name, error: answer },
);
console.log(`InvalidRequestError is not asked for here.\nRESULTS ${JSON.stringify(results)}`);
process.exit();
