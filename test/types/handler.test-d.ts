import { getRequestListener } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler, type TokenHandler } from "complycube-tokens/handler";

const complycube = new ComplyCube();
const target = { appId: "com.example.app" };
declare const request: Request;
interface FrameworkRequest {
  user?: { clientId: string };
}

// Without a context of its own, a handler takes any, such as the second argument of a Next.js route.
const plain = createTokenHandler({ complycube, target, authenticate: () => undefined });
plain(request);
plain(request, { params: Promise.resolve({}) });
plain satisfies TokenHandler;
getRequestListener(plain);

// The type of the context is inferred from where it is written, and then asked for.
const typed = createTokenHandler({
  complycube,
  target: (request) => (request.url === "/" ? target : { referrer: "https://www.example.com/*" }),
  authenticate: (_request, { user }: FrameworkRequest) => user,
});
typed(request, { user: { clientId: "CLIENT_ID" } });
typed satisfies TokenHandler<FrameworkRequest>;
// @ts-expect-error The context is missing.
typed(request);
// @ts-expect-error It is of another type.
typed(request, { user: "ada" });

const both = createTokenHandler({
  complycube,
  target: (_request, _clientId, { user }: FrameworkRequest) =>
    user ? target : { appId: "com.example.other" },
  authenticate: (_request, { user }) => user,
});
both satisfies TokenHandler<FrameworkRequest>;

const optional = createTokenHandler({
  complycube,
  target,
  authenticate: (_request, context?: FrameworkRequest) => context?.user,
});
optional(request);

// What @hono/node-server has beside the request reaches it as it is.
getRequestListener(
  createTokenHandler({
    complycube,
    target,
    authenticate: (_request, { incoming }: { incoming: object }) => (incoming as FrameworkRequest).user,
  }),
);

createTokenHandler({
  complycube,
  target,
  // @ts-expect-error A session has the client's ID.
  authenticate: () => ({ user: "ada" }),
});
