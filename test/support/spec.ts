import { readFileSync } from "node:fs";
import { root } from "../../scripts/root.ts";

interface MediaType {
  examples: Record<string, { $ref: string }>;
}

interface Spec {
  paths: {
    "/v1/tokens": { post: { responses: Record<string, { content: { "application/json": MediaType } }> } };
  };
  components: { examples: Record<string, { value: unknown }> };
}

/** One example of the spec: the status it belongs to, its name, and the body. */
export interface SpecExample<Body> {
  status: number;
  example: string;
  body: Body;
}

const spec = JSON.parse(readFileSync(`${root}generated/openapi/openapi.json`, "utf8")) as Spec;

/** Every documented error answer, read from the spec itself. */
export const errorExamples: SpecExample<{ type: string; message: string; param?: string }>[] = Object.entries(
  spec.paths["/v1/tokens"].post.responses,
)
  .filter(([status]) => status !== "200")
  .flatMap(([status, response]) =>
    Object.entries(response.content["application/json"].examples).map(([example, { $ref }]) => ({
      status: Number(status),
      example,
      body: spec.components.examples[$ref.replace("#/components/examples/", "")]?.value as {
        type: string;
        message: string;
        param?: string;
      },
    })),
  );
