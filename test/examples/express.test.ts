import { expect, test } from "vitest";
import { describeEndpoint } from "../support/endpoint-rules.ts";
import { listen } from "../support/listen.ts";

describeEndpoint("examples/express.ts", "http://localhost:3000/*", async () => {
  const { app } = await import("../../examples/express.ts");
  return listen(app);
});

test("examples/express.ts keeps what the page captured with the session's client, whoever the page names", async () => {
  const { app } = await import("../../examples/express.ts");
  const { captures } = await import("../../examples/users.ts");
  const { url, close } = await listen(app);
  const send = (cookie: string) =>
    fetch(`${url}/api/verification`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json" },
      body: '{"clientId":"CLIENT_OF_EVE","documentId":"DOCUMENT_ID","livePhotoId":["no text"]}',
    });
  const { headers } = await fetch(`${url}/sign-in/ada`, { method: "POST" });

  const [refused, kept] = [await send(""), await send(headers.getSetCookie()[0] ?? "")];

  expect([refused.status, kept.status]).toEqual([401, 204]);
  expect(Object.fromEntries(captures)).toEqual({ CLIENT_ID_OF_ADA: { documentId: "DOCUMENT_ID" } });
  await close();
});
