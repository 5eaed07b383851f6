import type { components } from "../generated/openapi-typescript/schema.d.ts";
import { checkFields, kindOf } from "./options.ts";

type Wire = components["schemas"];

/** A token for the Web SDK, bound to the pages that `referrer`, a Chrome match pattern, matches. */
export type WebTarget = Pick<Wire["WebTokenRequest"], "referrer"> & { appId?: never; clientId?: never };

/** A token for a Mobile SDK, bound to the app with this iOS bundle ID or Android application ID. */
export type MobileTarget = Pick<Wire["MobileTokenRequest"], "appId"> & { referrer?: never; clientId?: never };

/** What a token is bound to: exactly one of a web page and an app. */
export type TokenTarget = WebTarget | MobileTarget;

const ONE_OF =
  'either { referrer: "https://www.example.com/*" } for the Web SDK or { appId: "com.example.app" } for a Mobile SDK';

/** Checks both arguments and makes the body of the request; nothing in `target` can replace `clientId`. */
export function checkTokenRequest(clientId: unknown, target: unknown): Wire["TokenRequest"] {
  checkText("clientId", clientId, "the ID of the client");
  checkFields("target", target, ["referrer", "appId"]);
  const { referrer, appId } = { ...(target as { referrer?: unknown; appId?: unknown }) };
  const fields = Object.keys(target as object);
  if (fields.length !== 1) {
    throw new TypeError(
      `target must have exactly one field: ${ONE_OF}. It has ${fields.join(" and ") || "none"}.`,
    );
  }
  if (fields[0] === "referrer") {
    checkText("referrer", referrer, "a match pattern, such as https://www.example.com/*");
    return { clientId, referrer };
  }
  checkText("appId", appId, "a bundle ID or application ID, such as com.example.app");
  return { clientId, appId };
}

function checkText(name: string, value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") {
    const hint = value === undefined ? " Is an environment variable missing?" : "";
    throw new TypeError(`${name} must be ${what}, not ${kindOf(value)}.${hint}`);
  }
  if (value.trim() === "") throw new TypeError(`${name} is blank. It must be ${what}.`);
}
