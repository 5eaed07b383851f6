import { defineRouteMiddleware } from "@astrojs/starlight/route-data";

/** Names the Markdown of each page in its head. */
export const onRequest = defineRouteMiddleware(({ locals, url }) => {
  const path =
    url.pathname === import.meta.env.BASE_URL
      ? `${url.pathname}index.md`
      : url.pathname.replace(/\/$/, ".md");
  locals.starlightRoute.head.push({
    tag: "link",
    attrs: { rel: "alternate", type: "text/markdown", href: path },
  });
});
