// Lints the spec and the workflows, and holds the spec to the score that lets an agent use it unaided.
import { redocly } from "./redocly.ts";

const LEAST_AGENT_READINESS = 90;

const lint = redocly(
  ["lint", "openapi/openapi.yaml", "openapi/tokens.arazzo.yaml", "--format=stylish"],
  "pipe",
);
process.stderr.write(lint.stdout + lint.stderr);
const scoring = redocly(["score", "openapi/openapi.yaml", "--format=json"], "pipe");
const { agentReadiness } = JSON.parse(scoring.stdout) as { agentReadiness: number };
console.log(`Agent readiness ${agentReadiness} of 100; at least ${LEAST_AGENT_READINESS} is asked for.`);
if (lint.status !== 0 || !(agentReadiness >= LEAST_AGENT_READINESS)) process.exitCode = 1;
