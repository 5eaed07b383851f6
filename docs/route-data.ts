import { defineRouteMiddleware } from "@astrojs/starlight/route-data";

/** Names the Markdown of each page in its head. */
export const onRequest = defineRouteMiddleware(({ locals, url }) => {
  const { head, id } = locals.starlightRoute;
  if (id === "404") return;
  const isHome = id === "" || id === "index";
  const path = url.pathname.replace(/\/?$/, isHome ? "/index.md" : ".md");
  head.push({
    tag: "link",
    attrs: { rel: "alternate", type: "text/markdown", href: path },
  });
});
