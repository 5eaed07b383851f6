import { connectionScenarios } from "./connection.ts";
import { errorBodyScenarios } from "./error-bodies.ts";
import { redirectScenarios } from "./redirects.ts";
import { retryScenarios } from "./retries.ts";
import type { Scenario } from "./scenario.ts";
import { patienceScenarios, stallScenarios } from "./stalls.ts";
import { statusScenarios } from "./statuses.ts";
import { successBodyScenarios } from "./success-bodies.ts";

/** Every scenario, by the name of its group. */
export const scenarios: Record<string, Scenario[]> = {
  "a connection that breaks": connectionScenarios,
  "an answer that stalls": stallScenarios,
  "an answer that takes its time": patienceScenarios,
  "the body of a 2xx": successBodyScenarios,
  "the body of an error": errorBodyScenarios,
  "a redirect": redirectScenarios,
  "a status": statusScenarios,
  "a retry": retryScenarios,
};
