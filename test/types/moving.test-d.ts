import type { ComplyCube as Official } from "@complycube/api";
import type { ComplyCube } from "complycube-tokens";
import { expectTypeOf } from "vitest";

// The first row of the guide's table of differences.
expectTypeOf<Awaited<ReturnType<Official["token"]["generate"]>>>().toEqualTypeOf<{ token: string }>();
expectTypeOf<Awaited<ReturnType<ComplyCube["token"]["generate"]>>>().toEqualTypeOf<string>();
