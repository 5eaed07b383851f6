import { inspectToken, type TokenContents } from "../../src/index.ts";

const contents: TokenContents = inspectToken("TOKEN");

// Either time may be missing.
// @ts-expect-error without a look whether it is there
contents.expiresAt.getTime();
// @ts-expect-error without a look whether it is there
contents.issuedAt.getTime();
const isFresh: boolean = contents.expiresAt !== undefined && contents.expiresAt > new Date();

// Nothing is known of a claim.
// @ts-expect-error a claim is not a string before it is looked at
const clientId: string = contents.claims.clientId;

// @ts-expect-error a token that may be missing
inspectToken(undefined);
// @ts-expect-error the JSON around a token
inspectToken({ token: "TOKEN" });

export { clientId, isFresh };
