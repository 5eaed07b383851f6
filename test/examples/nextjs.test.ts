import { getRequestListener } from "@hono/node-server";
import { signIn } from "../../examples/sessions.ts";
import { describeEndpoint } from "../support/endpoint-rules.ts";
import { listen } from "../support/listen.ts";

type Route = (request: Request, context: { params: Promise<object> }) => Promise<Response>;

describeEndpoint(
  "examples/nextjs/app/api/complycube-token/route.ts",
  "https://www.example.com/*",
  async () => {
    const { POST }: { POST: Route } = await import("../../examples/nextjs/app/api/complycube-token/route.ts");
    // As Next.js does: by the name of the method, with a second argument, and with 405 for what is not exported.
    const next = async (request: Request) => {
      if (new URL(request.url).pathname === "/sign-in/ada") {
        return new Response(null, { status: 204, headers: { "set-cookie": signIn("ada") ?? "" } });
      }
      if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
      // The URL that Next.js gives is of the server's own address, whatever the Host.
      const { pathname, search } = new URL(request.url);
      const { method, headers, signal } = request;
      const body = await request.arrayBuffer();
      const given = new Request(`http://localhost:3000${pathname}${search}`, {
        method,
        headers,
        signal,
        body,
      });
      return POST(given, { params: Promise.resolve({}) });
    };
    return listen(getRequestListener(next, { overrideGlobalObjects: false }));
  },
);

describeEndpoint("examples/nextjs/pages/api/complycube-token.ts", "https://www.example.com/*", async () => {
  const { default: listener } = await import("../../examples/nextjs/pages/api/complycube-token.ts");
  return listen((request, response) => {
    if (request.url !== "/sign-in/ada") return void listener(request, response);
    response.writeHead(204, { "set-cookie": signIn("ada") ?? "" }).end();
  });
});
