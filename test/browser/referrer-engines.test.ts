import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explainReferrer, matchesReferrer, referrerPatternFor } from "../../src/referrer/index.ts";
import { type Engine, findEngines } from "../support/engines.ts";
import { type Call, startTour, type Tour } from "../support/referrer-tour.ts";
import { makeCertificate } from "../support/tls-server.ts";

const WHAT = "explainReferrer against three engines";
const engines = findEngines(WHAT);
const certificate = makeCertificate();
if (certificate === undefined) {
  if (process.env.CI) throw new Error(`${WHAT}: no openssl`);
  console.warn(`SKIPPED: ${WHAT}: no openssl`);
}

/** What a page in an iframe sends without a policy of its own is no question to `explainReferrer`. */
const isAsked = ({ stop, policy }: Call) => !stop.isEmbedded || policy !== "";
const show = ({ stop, way, policy }: Call, received: string | null | undefined) =>
  `${stop.url}, ${policy || "no policy"} by ${stop.setBy}, ${way}: ${received}`;

/** The page's URL as Chromium writes it in a `Referer`. */
function wholeUrl({ stop }: Call): string {
  const { origin, pathname, search } = new URL(stop.url);
  return origin + pathname.replaceAll("|", "%7C") + search;
}

/** What `explainReferrer` says that an engine sends. */
function predicted(engine: Engine["name"], call: Call): string | null {
  const check = { pageUrl: call.stop.url, referrerPolicy: call.policy };
  const { sent } = explainReferrer({ ...check, pattern: referrerPatternFor(call.stop.url) });
  const { reason } = explainReferrer({ ...check, pattern: wholeUrl(call) });
  return engine === "Chromium" && reason === "only-in-chrome" ? wholeUrl(call) : sent;
}

describe.skipIf(certificate === undefined)(WHAT, () => {
  const received = new Map<Engine["name"], Map<Call, string | null>>();
  let tour: Tour;

  beforeAll(async () => {
    tour = await startTour(certificate as string);
  });

  afterAll(() => tour?.close());

  describe.each(engines)("$name", ({ name, isInstalled, open }) => {
    test.skipIf(!isInstalled)(
      "sends what was predicted, however the page calls and sets its policy",
      async () => {
        const startedAt = performance.now();

        const sent = await tour.take(open);

        console.log(`${name}: ${sent.size} calls in ${Math.round(performance.now() - startedAt)} ms`);
        received.set(name, sent);
        expect(
          tour.calls.filter((call) => !sent.has(call)).map((call) => show(call, "no call came")),
        ).toEqual([]);
        const asked = [...sent].filter(([call]) => isAsked(call));
        const different = asked.filter(([call, referer]) => referer !== predicted(name, call));
        expect(different.map(([call, referer]) => show(call, referer))).toEqual([]);
      },
    );

    test.skipIf(!isInstalled)("sends from an iframe without a policy of its own what the docs say", () => {
      const silenced = [...(received.get(name) ?? [])].filter(([call]) => !isAsked(call));

      const referers = new Set(silenced.map(([, referer]) => referer));
      const origin = expect.stringMatching(/^https:\/\/www\.localhost:\d+\/$/);
      expect([...referers]).toEqual([name === "WebKit" ? null : origin]);
    });
  });

  test.skipIf(engines.some(({ isInstalled }) => !isInstalled))(
    "matches is true exactly where all three match",
    () => {
      const wrong: string[] = [];
      let asked = 0;
      for (const call of tour.calls.filter(isAsked)) {
        const { origin } = new URL(call.stop.url);
        for (const pattern of [
          `${origin}/*`,
          `${origin}/`,
          `${origin}/verify/*`,
          wholeUrl(call),
          "*://*/*",
        ]) {
          const { matches } = explainReferrer({
            pattern,
            pageUrl: call.stop.url,
            referrerPolicy: call.policy,
          });
          const referers = engines.map(({ name }) => received.get(name)?.get(call));
          const all = referers.every((referer) => referer && matchesReferrer(pattern, referer));
          asked++;
          if (matches !== all) wrong.push(show(call, `${pattern} against ${referers.join(", ")}`));
        }
      }

      console.log(`${asked} questions, each answered by three engines`);
      expect(wrong).toEqual([]);
    },
  );
});
