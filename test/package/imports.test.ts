import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";

const emptyProject = inject("emptyProject");
const consumer = inject("consumer");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const subpaths = Object.keys(manifest.exports).filter((subpath) => !/\.(yaml|json)$/.test(subpath));
const peers = Object.keys(manifest.peerDependencies);

/** Runs code as an ES module, with a `require` at hand, where the tarball is installed, and reads what it prints. */
function run(folder: string, code: string) {
  const file = join(mkdtempSync(join(folder, "run-")), "code.mjs");
  writeFileSync(
    file,
    `import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\n${code}`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const specifier = (subpath: string) => `complycube-tokens${subpath.slice(1)}`;
const sourceOf = (subpath: string) => {
  const name = subpath === "." ? "index" : subpath.slice(2);
  return existsSync(join(root, "src", `${name}.ts`)) ? `${name}.ts` : `${name}/index.ts`;
};

describe.skipIf(!consumer)("with its optional peers", () => {
  test.each(subpaths)("%s gives import and require what its source exports", async (subpath) => {
    const source: object = await import(join(root, "src", sourceOf(subpath)));

    const names = run(
      consumer as string,
      `const imported = Object.keys(await import("${specifier(subpath)}"));
      const required = Object.keys(require("${specifier(subpath)}"));
      console.log(JSON.stringify({ imported, required: required.sort() }));`,
    );

    const expected = Object.keys(source).sort();
    expect(expected).not.toEqual([]);
    expect(names).toEqual({ imported: expected, required: expected });
  });

  test.each([
    ["MSW 2", "msw-2"],
    ["MSW 3", ""],
  ])("the MSW handlers answer with a token and with an error, with %s", (_, folder) => {
    const answers = run(
      join(consumer as string, folder),
      `const out = {};
      for (const [format, load] of Object.entries({ import: (name) => import(name), require: async (name) => require(name) })) {
        const { ComplyCube } = await load("complycube-tokens");
        const { handleGenerateToken } = await load("complycube-tokens/msw");
        const { HttpResponse } = await load("msw");
        const { setupServer } = await load("msw/node");
        const server = setupServer(handleGenerateToken({ body: { token: "TOKEN" } }));
        server.listen();
        const complycube = new ComplyCube({ apiKey: "test_key" });
        const mint = () => complycube.token.generate("CLIENT_ID", { appId: "com.example.app" });
        const token = await mint();
        server.use(
          handleGenerateToken(() => HttpResponse.json({ type: "unauthorized", message: "No" }, { status: 401 })),
        );
        const { name, type } = await mint().catch((error) => error);
        out[format] = { token, name, type };
        server.close();
      }
      console.log(JSON.stringify(out));`,
    );

    const answered = { token: "TOKEN", name: "AuthenticationError", type: "unauthorized" };
    expect(answers).toEqual({ import: answered, require: answered });
  });
});

/** What Sentry sends: an event, or a list of spans. */
interface SentryItem {
  items?: { attributes: Record<string, { value: unknown } | undefined> }[];
  breadcrumbs?: { data?: { status_code?: number } }[];
  exception?: { values: { type: string }[] };
}

describe.skipIf(!consumer)("the default transport is seen", () => {
  const mint = `
    const { ComplyCube } = await import("complycube-tokens");
    const mint = (options) =>
      new ComplyCube({ apiKey: "test_SECRET_KEY", maxRetries: 0, ...options })
        .token.generate("CLIENT_ID", { appId: "com.example.app" });`;

  test.each([
    ["MSW 3", ""],
    ["MSW 2", "msw-2"],
  ])("by %s, installed after the client was made", (_, folder) => {
    const token = run(
      join(consumer as string, folder),
      `${mint}
      const { http, HttpResponse } = await import("msw");
      const { setupServer } = await import("msw/node");
      const server = setupServer(
        http.post("https://api.complycube.com/v1/tokens", async ({ request }) => {
          const { clientId } = await request.json();
          return HttpResponse.json({ token: [clientId, request.headers.get("authorization")].join("/") });
        }),
      );
      server.listen({ onUnhandledRequest: "error" });
      console.log(JSON.stringify(await mint()));
      server.close();`,
    );

    expect(token).toBe("CLIENT_ID/test_SECRET_KEY");
  });

  test("by nock", () => {
    const outcome = run(
      consumer as string,
      `${mint}
      const { default: nock } = await import("nock");
      nock("https://api.complycube.com").post("/v1/tokens").reply(200, { token: "NOCKED" });
      const token = await mint();
      nock("https://api.complycube.com").post("/v1/tokens").reply(401, { type: "unauthorized", message: "No." });
      console.log(JSON.stringify({ token, refused: await mint().catch(({ status }) => status) }));`,
    );

    expect(outcome).toEqual({ token: "NOCKED", refused: 401 });
  });

  test("by OpenTelemetry, whose spans hold neither key nor token", () => {
    const spans = run(
      consumer as string,
      `const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-node");
      const { registerInstrumentations } = require("@opentelemetry/instrumentation");
      const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");
      const exporter = new InMemorySpanExporter();
      new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
      registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
      ${mint}
      const server = require("node:http").createServer((_, response) => response.end('{"token":"SECRET_TOKEN"}'));
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      await mint({ baseUrl: "http://127.0.0.1:" + server.address().port });
      server.close().closeAllConnections();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const spans = exporter.getFinishedSpans().map(({ kind, attributes }) => ({ kind, attributes }));
      console.log(JSON.stringify(spans));`,
    );

    const CLIENT = 2;
    const ours = spans.filter(({ kind }: { kind: number }) => kind === CLIENT);
    expect(ours).toHaveLength(1);
    expect(ours[0].attributes).toMatchObject({
      "http.request.method": "POST",
      "http.response.status_code": 200,
    });
    expect(JSON.stringify(spans)).not.toMatch(/SECRET/);
  });

  test("by Sentry, whose spans, breadcrumbs and events hold neither key nor token", () => {
    const sent = run(
      consumer as string,
      `const Sentry = require("@sentry/node");
      const items = [];
      Sentry.init({
        dsn: "https://public@sentry.example.com/1",
        tracesSampleRate: 1,
        sendDefaultPii: true,
        // It would quote these very lines.
        integrations: (all) => all.filter(({ name }) => name !== "ContextLines"),
        transport: () => ({
          send: async ([, each]) => (items.push(...each), {}),
          flush: async () => true,
        }),
      });
      ${mint}
      const answers = [
        [401, '{"type":"unauthorized","message":"Unknown key test_SECRET_KEY."}'],
        [200, '{"token":"SECRET_TOKEN"}'],
      ];
      const server = require("node:http").createServer((_, response) => {
        const [status, body] = answers.pop();
        response.writeHead(status).end(body);
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const baseUrl = "http://127.0.0.1:" + server.address().port;
      await Sentry.startSpan({ name: "sign-up" }, () => mint({ baseUrl }));
      await mint({ baseUrl }).catch((error) => Sentry.captureException(error));
      await Sentry.flush();
      server.close().closeAllConnections();
      console.log(JSON.stringify(items));`,
    );

    const items: [{ type: string }, SentryItem][] = sent;
    const ofType = (wanted: string) => items.filter(([{ type }]) => type === wanted).map(([, item]) => item);
    const spans = ofType("span").flatMap(({ items: each = [] }) => each);
    const [event] = ofType("event");
    expect(spans.map(({ attributes }) => attributes["sentry.op"]?.value)).toContain("http.client");
    expect(event?.breadcrumbs?.map(({ data }) => data?.status_code)).toEqual([200, 401]);
    expect(event?.exception?.values.map(({ type }) => type)).toEqual(["AuthenticationError"]);
    expect(JSON.stringify(sent)).not.toMatch(/SECRET/);
  });
});

describe("in a project that has nothing else", () => {
  test.each(subpaths)("%s loads, or names the one optional peer that it wants", (subpath) => {
    const outcome = run(
      emptyProject,
      `const failure = (error) => error.message;
      const imported = await import("${specifier(subpath)}").then(() => "", failure);
      let required = "";
      try { require("${specifier(subpath)}") } catch (error) { required = failure(error) }
      console.log(JSON.stringify({ imported, required }));`,
    );

    const wanted = { "./msw": "msw" }[subpath];
    if (wanted === undefined) expect(outcome).toEqual({ imported: "", required: "" });
    else {
      expect(peers).toContain(wanted);
      expect(outcome.imported).toContain(`Cannot find package '${wanted}'`);
      expect(outcome.required).toContain(`Cannot find module '${wanted}'`);
    }
  });

  test("the command line runs", () => {
    const { stdout, stderr } = spawnSync("npx", ["--no", "--", "complycube-tokens", "--version"], {
      cwd: emptyProject,
      encoding: "utf8",
    });

    expect(stdout, stderr).toBe(`${manifest.version}\n`);
  });

  test("the description is there as YAML and as JSON", () => {
    const description = run(
      emptyProject,
      `const { readFileSync } = await import("node:fs");
      const yaml = readFileSync(require.resolve("complycube-tokens/openapi.yaml"), "utf8");
      console.log(JSON.stringify({ yaml, json: require("complycube-tokens/openapi.json") }));`,
    );

    expect(description.yaml).toMatch(/^openapi: 3\.1/);
    expect(Object.keys(description.json.paths)).toEqual(["/v1/tokens"]);
  });
});

describe("an error", () => {
  /** Both copies mint against an API that answers 429; each one's error is judged by each one's classes. */
  const judged = () =>
    run(
      emptyProject,
      `const copies = { esm: await import("complycube-tokens"), cjs: require("complycube-tokens") };
      const referrers = { esm: await import("complycube-tokens/referrer"), cjs: require("complycube-tokens/referrer") };
      const caught = async (work) => { try { await work() } catch (error) { return error } };
      const out = {};
      for (const [format, copy] of Object.entries(copies)) {
        const fetch = async () => Response.json({ type: "rate_limited", message: "slow down" }, { status: 429 });
        const client = new copy.ComplyCube({ apiKey: "k", maxRetries: 0, fetch });
        const error = await caught(() => client.token.generate("CLIENT_ID", { appId: "com.example.app" }));
        const pattern = await caught(() => referrers[format].parseReferrerPattern("nonsense"));
        const other = copies[format === "esm" ? "cjs" : "esm"];
        out[format] = {
          own: [copy.RateLimitError, copy.ComplyCubeApiError, copy.ComplyCubeError, Error].map((kind) => error instanceof kind),
          sibling: error instanceof copy.AuthenticationError,
          name: error.name === new other.RateLimitError({ status: 429, message: "" }).name,
          code: error.code === new other.RateLimitError({ status: 429, message: "" }).code,
          status: error.status,
          pattern: [pattern instanceof copy.ReferrerPatternError, pattern instanceof TypeError, pattern.name, pattern.reason],
        };
      }
      console.log(JSON.stringify(out));`,
    );

  test.each(["esm", "cjs"])(
    "of the %s copy is known by name and code in the other, by class in its own",
    (format) => {
      const seen = judged()[format];

      expect(seen.own).toEqual([true, true, true, true]);
      expect(seen.sibling).toBe(false);
      expect(seen.name).toBe(true);
      expect(seen.code).toBe(true);
      expect(seen.status).toBe(429);
      expect(seen.pattern).toEqual([true, true, "ReferrerPatternError", "missing-scheme-separator"]);
    },
  );
});
