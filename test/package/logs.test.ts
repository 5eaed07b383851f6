import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";

const consumer = inject("consumer") ?? "";

/** One error in the ways that people log it: each prints a line of JSON, through one stream, so that they stay in order. */
const PROGRAM = `
import pino from "pino";
import winston from "winston";
import { ComplyCube } from "complycube-tokens";

const body = { type: "rate_limit_exceeded", message: "slow down", token: "SECRET_TOKEN" };
const fetch = async () => Response.json(body, { status: 429, headers: { "x-request-id": "REQUEST_ID" } });
const complycube = new ComplyCube({ apiKey: "test_SECRET_KEY", maxRetries: 0, fetch });
const error = await complycube.token.generate("CLIENT_ID", { appId: "com.example.app" }).catch((error) => error);

pino(process.stdout).error(error);
const err = (error) => ({ ...pino.stdSerializers.err(error), ...error.toJSON?.() });
pino({ serializers: { err } }, process.stdout).error(error);
const { combine, errors, json } = winston.format;
const transports = [new winston.transports.Console()];
winston.createLogger({ transports }).error("failed", { error });
console.log(JSON.stringify(error));
winston.createLogger({ transports, format: combine(errors({ stack: true }), json()) }).error(error);
`;

describe.skipIf(!consumer)("an error", () => {
  let lines: Record<string, unknown>[];

  beforeAll(() => {
    const file = join(consumer, "logs.mjs");
    writeFileSync(file, PROGRAM);
    const { stdout, stderr } = spawnSync(process.execPath, [file], { cwd: consumer, encoding: "utf8" });
    lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(stderr).toBe("");
  });

  const fields = { code: "api", message: "slow down", status: 429, requestId: "REQUEST_ID", attempts: 1 };

  test("in pino has all but the API's type, which pino takes for the class's name", () => {
    expect(lines[0]?.err).toMatchObject({ ...fields, type: "RateLimitError" });
  });

  test("in pino with toJSON has that too", () => {
    expect(lines[1]?.err).toMatchObject({ ...fields, type: "rate_limit_exceeded" });
  });

  test("in winston, alone or as metadata, and as JSON has all", () => {
    const all = { ...fields, name: "RateLimitError", type: "rate_limit_exceeded" };

    expect(lines[2]?.error).toMatchObject(all);
    expect(lines[3]).toEqual(all);
    expect(lines[4]).toMatchObject(all);
  });

  test("shows neither key, token nor body in any of them", () => {
    expect(lines).toHaveLength(5);
    expect(JSON.stringify(lines)).not.toMatch(/SECRET|"body"/);
  });
});
