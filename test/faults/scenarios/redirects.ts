import { all, answer, bytes, hangUp, head, json } from "../../support/fault-server.ts";
import { KEY } from "../../support/leak-scan.ts";
import { apiFailure, MINTED, noAnswer, type Scenario } from "./scenario.ts";

/** Redirects: none is followed, so the key and the body reach no other host. */
export const redirectScenarios: Scenario[] = [
  ...[301, 302, 303, 307, 308].flatMap((status) => [
    {
      title: `${status} to another host`,
      steps: (elsewhere: string) => [answer(status, "moved", { location: `${elsewhere}/v1/tokens` })],
      outcome: noAnswer(1),
    },
    {
      title: `${status} to the same host`,
      steps: () => [
        answer(status, "", { location: "/v1/tokens" }),
        answer(status, MINTED, { location: "/v1/tokens" }),
      ],
      outcome: noAnswer(1),
    },
    { title: `${status} to nowhere`, steps: () => [answer(status, MINTED)], outcome: noAnswer(1) },
  ]),
  {
    title: "308 to another host, the scheme left out",
    steps: (elsewhere) => [answer(308, "", { location: elsewhere.replace("http:", "") })],
    outcome: noAnswer(1),
  },
  {
    title: "302 to a broken address with the key in it",
    steps: () => [answer(302, KEY, { location: `http://[${KEY}` })],
    outcome: noAnswer(1),
  },
  {
    title: "307 whose body is cut off",
    steps: (elsewhere) => [
      all(bytes(head(307, { location: elsewhere, "content-length": "99" }), "x"), hangUp),
    ],
    outcome: noAnswer(1),
  },
  {
    title: "300 with choices",
    steps: (elsewhere) => [json(300, ["a", "b"], { location: elsewhere })],
    outcome: apiFailure(300, { body: ["a", "b"] }),
  },
  {
    title: "304",
    steps: (elsewhere) => [bytes(head(304, { location: elsewhere }))],
    outcome: apiFailure(304),
  },
  {
    title: "a redirect is not tried again, as the answer would not change",
    steps: (elsewhere) => [answer(307, "", { location: elsewhere }), answer(200, MINTED)],
    outcome: noAnswer(1),
  },
];
