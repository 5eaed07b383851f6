import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  explainReferrer,
  isReferrerPattern,
  matchesReferrer,
  parseReferrerPattern,
  ReferrerPatternError,
  referrerPatternFor,
} from "../../src/referrer/index.ts";

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`fast-check seed: ${seed} (set FC_SEED to repeat)`);
fc.configureGlobal({ seed, numRuns: 2_000 });

const label = fc
  .stringMatching(/^[a-z]([a-z0-9-]{0,6}[a-z0-9])?$/)
  .filter((text) => text.slice(2, 4) !== "--");
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((ip) => `[${ip}]`),
);
const path = fc
  .stringMatching(/^\/[a-zA-Z0-9/._~!$&'()+,;=:@-]{0,12}$/)
  .filter((text) => !/\/\.{1,2}(\/|$)/.test(text));
const port = fc.oneof(
  fc.constant(""),
  fc.constant(":*"),
  fc.integer({ min: 0, max: 65_535 }).map((number) => `:${number}`),
);

const pattern = fc
  .record({
    scheme: fc.constantFrom("http", "https"),
    wildcard: fc.constantFrom("", "*."),
    host: name,
    port,
    path: path.map((text) => text.replaceAll("!", "*")),
  })
  .map((part) => `${part.scheme}://${part.wildcard}${part.host}${part.port}${part.path}`);

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."*:/.[]@?#%\\ ahtps<>_"), maxLength: 30 }),
  pattern,
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.constantFrom("<all_urls>", "*://*/*", "\ud800", "https://\ud800/\udfff", "https://a/%", "https://a/%ff"),
);

describe("referrer patterns", () => {
  test("a pattern that parses prints back to itself, and its parts make the same pattern", () => {
    fc.assert(
      fc.property(fc.oneof(pattern, text.filter(isReferrerPattern)), (one) => {
        const { scheme, host, port: number, path: rest, scope, ...parsed } = parseReferrerPattern(one);

        expect(`${parseReferrerPattern(one)}`).toBe(one);
        expect(parsed.pattern).toBe(one);
        const rebuilt = `${scheme}://${host}${number === "*" ? "" : `:${number}`}${rest}`;
        expect(parseReferrerPattern(rebuilt)).toMatchObject({
          scheme,
          host,
          port: number,
          path: rest,
          scope,
        });
      }),
    );
  });

  test("a pattern matches its own examples", () => {
    fc.assert(
      fc.property(
        pattern,
        fc.array(label, { maxLength: 2 }),
        fc.stringMatching(/^[a-z/]{0,5}$/),
        (one, below, filler) => {
          const parsed = parseReferrerPattern(one);
          const subdomain = parsed.host.startsWith("*.") ? below.map((part) => `${part}.`).join("") : "";
          const host = `${subdomain}${parsed.host.replace("*.", "")}`;
          const number = parsed.port === "*" ? "8080" : parsed.port;
          const example = `${parsed.scheme}://${host}:${number}${parsed.path.replaceAll("*", filler)}`;

          fc.pre(!/\/\.{1,2}(\/|$)/.test(example)); // The URL parser would resolve the dots.
          expect(matchesReferrer(one, example)).toBe(true);
          expect(matchesReferrer(one, `${example}#fragment`)).toBe(true);
        },
      ),
    );
  });

  test("a pattern of one host matches no other host", () => {
    fc.assert(
      fc.property(name, label, (host, other) => {
        for (const url of [
          `https://${other}.${host}/`,
          `https://${host}.${other}/`,
          `https://${other}${host}/`,
        ]) {
          expect(matchesReferrer(`https://${host}/*`, url)).toBe(false);
        }
      }),
    );
  });

  test("isReferrerPattern and matchesReferrer never throw, and parsing throws nothing but its own error", () => {
    fc.assert(
      fc.property(text, text, (one, url) => {
        expect(typeof matchesReferrer(one, url)).toBe("boolean");
        const valid = isReferrerPattern(one);
        try {
          parseReferrerPattern(one);
          expect(valid).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ReferrerPatternError);
          expect(valid).toBe(false);
          const { index, message } = error as ReferrerPatternError;
          expect(index).toBeGreaterThanOrEqual(0);
          expect(index).toBeLessThanOrEqual(one.length);
          const proposal = / Use (".*")\.$/.exec(message)?.[1];
          if (proposal) expect(parseReferrerPattern(JSON.parse(proposal)).scope).not.toBe("any");
        }
      }),
    );
  });

  test("the pattern for a page works from that page under the default policy", () => {
    fc.assert(
      fc.property(fc.constantFrom("http", "https"), fc.oneof(name, address), path, (scheme, host, rest) => {
        const pageUrl = `${scheme}://${host}${rest}`;

        const { matches, reason } = explainReferrer({ pattern: referrerPatternFor(pageUrl), pageUrl });

        expect(matches).toBe(true);
        expect(reason).toBe("match");
      }),
    );
  });

  test("a text with an API key in it never shows the key", () => {
    fc.assert(
      fc.property(text, fc.stringMatching(/^[a-zA-Z0-9]{20,40}$/), text, (before, secret, after) => {
        const one = `${before} live_${secret} ${after}`;
        try {
          parseReferrerPattern(one);
        } catch (error) {
          expect((error as Error).message).not.toContain(secret.slice(0, 8));
        }
      }),
    );
  });
});
