import {
  explainReferrer,
  matchesReferrer,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerExplanation,
  type ReferrerPattern,
  ReferrerPatternError,
  referrerPatternFor,
} from "../../src/referrer/index.ts";
import { proposePattern } from "../../src/referrer/proposal.ts";

const FIELDS = ["pattern", "page", "policy"] as const;

/** Answers as the reader types; the address of the page holds what was typed. */
export function runChecker(root: HTMLElement): void {
  const find = <E extends HTMLElement>(selector: string) => root.querySelector(selector) as E;
  const form = find<HTMLFormElement>("form");
  const field = (name: (typeof FIELDS)[number]) => form.elements.namedItem(name) as HTMLInputElement;

  const given = new URLSearchParams(location.search);
  for (const name of FIELDS) field(name).value = given.get(name) ?? field(name).value;

  function answer(): void {
    const pattern = field("pattern").value;
    const page = field("page").value.trim();
    const policy = field("policy").value as PagePolicy;
    find<HTMLAnchorElement>(".link").href = `?${new URLSearchParams({ pattern, page, policy })}`;

    let parsed: ReferrerPattern | undefined;
    let problem = "";
    try {
      parsed = parseReferrerPattern(pattern);
      find(".parts").replaceChildren(...partsOf(parsed));
    } catch (error) {
      problem = messageOf(error);
      const index = error instanceof ReferrerPatternError ? error.index : 0;
      find(".parts").replaceChildren(wrongAt(pattern, index));
    }
    field("pattern").setAttribute("aria-invalid", String(parsed === undefined));

    let explained: ReferrerExplanation | undefined;
    try {
      // A pattern that is not valid still leaves what the page sends to tell.
      explained = explainReferrer({
        pattern: parsed ?? "https://*/*",
        pageUrl: page,
        referrerPolicy: policy,
      });
    } catch (error) {
      problem ||= messageOf(error);
    }
    const matches = parsed !== undefined && explained?.matches === true;
    const isSafe = matches && explained?.reason === "match";
    find(".answer").className = `answer ${isSafe ? "yes" : "no"}`;
    find(".verdict").textContent =
      parsed === undefined
        ? "The pattern is not valid"
        : explained === undefined
          ? "The page is not a URL"
          : `${matches ? "Matches" : "Does not match"}${isSafe ? "" : ` (${explained.reason})`}`;
    find(".advice").textContent = problem || (explained?.advice ?? "");

    const better = parsed === undefined ? proposePattern(pattern) : isSafe ? undefined : bestFor(page);
    const use = find<HTMLButtonElement>(".use");
    use.hidden = better === undefined || better === pattern || explained?.sent === null;
    use.textContent = `Use ${better}`;
    use.onclick = () => {
      field("pattern").value = better ?? pattern;
      answer();
      keep();
      field("pattern").focus();
    };
    find("tbody").replaceChildren(...rowsOf(parsed, page, policy, explained));
  }

  // Not at each letter: Safari throws where a page does this more than 100 times in 30 seconds.
  const keep = () => history.replaceState(null, "", find<HTMLAnchorElement>(".link").href);

  form.addEventListener("input", answer);
  form.addEventListener("change", keep);
  form.addEventListener("submit", (event) => event.preventDefault());
  answer();
}

/** The picture of a pattern: its four parts, each with what it means. */
function partsOf({ scheme, host, port, path }: ReferrerPattern): HTMLElement[] {
  const meanings: [string, string, string][] = [
    [`${scheme}://`, "scheme", scheme === "*" ? "http or https" : `${scheme} only`],
    [
      host,
      "host",
      host === "*" ? "every site" : host.startsWith("*.") ? "and its subdomains" : "this host alone",
    ],
    [port === "*" ? "" : `:${port}`, "port", port === "*" ? "any" : "this port alone"],
    [path, "path", path === "/*" ? "any" : "never sent by Firefox and Safari"],
  ];
  return meanings.map(([text, name, meaning]) => {
    const part = element("span", "", element("b", text || "\u00a0"), element("i", `${name}: ${meaning}`));
    part.className = `part${name === "path" && path !== "/*" ? " differs" : ""}`;
    return part;
  });
}

/** A pattern that is not valid, marked from the character on that is wrong. */
function wrongAt(pattern: string, index: number): HTMLElement {
  const whole = element("b", pattern.slice(0, index), element("mark", pattern.slice(index) || "\u00a0"));
  const part = element("span", "", whole, element("i", `wrong from character ${index + 1} on`));
  part.className = "part wrong";
  return part;
}

function rowsOf(
  pattern: ReferrerPattern | undefined,
  page: string,
  policy: PagePolicy,
  explained: ReferrerExplanation | undefined,
): HTMLElement[] {
  if (explained === undefined) return [];
  const isUnknown = explained.reason === "not-a-web-page";
  const nothing = isUnknown ? "it depends on the browser" : "nothing";
  const sentBy = {
    Chrome: sentByChrome(page, policy) ?? explained.sent,
    Firefox: explained.sent,
    Safari: explained.sent,
  };
  return Object.entries(sentBy).map(([browser, sent]) => {
    const matches = pattern !== undefined && sent !== null && matchesReferrer(pattern, sent);
    const name = element("th", browser);
    name.setAttribute("scope", "row");
    const shown = sent === null ? element("td", nothing) : element("td", "", element("code", sent));
    const verdict = pattern === undefined || isUnknown ? "–" : matches ? "yes" : "no";
    return element("tr", "", name, shown, element("td", verdict));
  });
}

/** The whole URL, where Chrome alone sends it: a pattern of just that URL then matches only there. */
function sentByChrome(page: string, policy: PagePolicy): string | undefined {
  const { origin, pathname, search } = new URL(page);
  const whole = origin + pathname + search;
  try {
    const { reason } = explainReferrer({ pattern: whole, pageUrl: page, referrerPolicy: policy });
    return reason === "only-in-chrome" ? whole : undefined;
  } catch {
    return undefined; // A path that no pattern can name.
  }
}

function bestFor(page: string): string | undefined {
  try {
    return referrerPatternFor(page);
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function element(name: string, text: string, ...children: HTMLElement[]): HTMLElement {
  const made = document.createElement(name);
  made.append(...(text === "" ? [] : [text]), ...children);
  return made;
}
