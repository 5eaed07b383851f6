import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const described = new URL("../../generated/openapi/", import.meta.url);
const spec = JSON.parse(readFileSync(new URL("openapi.json", described), "utf8"));
const target = new URL("../content/docs/endpoint.mdx", import.meta.url);

/** A Starlight plugin: writes the page of the endpoint from the OpenAPI description. */
export function endpointPage() {
  return {
    name: "endpoint-page",
    hooks: {
      "config:setup"() {
        for (const file of ["openapi.yaml", "openapi.json"])
          copyFileSync(new URL(file, described), new URL(`../public/${file}`, import.meta.url));
        writeFileSync(target, page());
      },
    },
  };
}

function page() {
  const [[path, { post: operation }]] = Object.entries(spec.paths);
  const [server] = spec.servers;
  const { apiKey } = spec.components.securitySchemes;
  const [mediaType, body] = Object.entries(operation.requestBody.content)[0];
  return `---
title: ${operation.summary}
description: ${spec.info.summary}
sidebar:
  label: POST ${path}
---
import Samples from "../../components/Samples.astro";

<p class="operation"><strong>POST</strong> <code>{"${server.url}${path}"}</code></p>

${operation.description}
<Samples />

## Headers

| Header | Value |
|---|---|
| \`${apiKey.name}\` | ${oneLine(apiKey.description)} |
| \`Content-Type\` | \`${mediaType}\` |

## Body

${operation.requestBody.description}

${resolve(body.schema)
  .oneOf.map(resolve)
  .map(
    (schema) => `### ${schema.title}

${schema.description}

${fields(schema)}`,
  )
  .join("\n")}
## Answers

${Object.entries(operation.responses).map(answer).join("\n")}
## Tokens

${spec.info.description}
## The description itself

[openapi.yaml](../openapi.yaml) and [openapi.json](../openapi.json) are version ${spec.info.version} of the OpenAPI description that this
page, the types and the mock are made from. ComplyCube's own page is
[${spec.externalDocs.description}](${spec.externalDocs.url}).
`;
}

function resolve(schema) {
  return schema.$ref
    ? schema.$ref
        .slice(2)
        .split("/")
        .reduce((at, key) => at[key], spec)
    : schema;
}

/** The fields of a schema: the short ones in full, a long description at its own heading. */
function fields({ properties, required }) {
  return Object.entries(properties)
    .map(([name, property]) => {
      const { type, description, examples = [] } = resolve(property);
      const need = required.includes(name) ? "required" : "optional";
      const example = examples.length > 0 ? `, such as \`${examples[0]}\`` : "";
      return `#### \`${name}\`\n\n${type}, ${need}${example}\n\n${description}\n`;
    })
    .join("\n");
}

function answer([status, { description, content }]) {
  const examples = Object.values(Object.values(content)[0].examples).map(resolve);
  const blocks = examples.map(
    ({ summary, value }) => `\`\`\`json title="${summary}"\n${JSON.stringify(value, null, 2)}\n\`\`\`\n`,
  );
  return `### ${status}\n\n${description}\n\n${blocks.join("\n")}`;
}

function oneLine(text) {
  return text.trim().replaceAll("\n", " ");
}
