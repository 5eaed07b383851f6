// A route of the Pages Router, in plain Node.js style.
import { ComplyCube } from "complycube-tokens";
import type { NextApiRequest, NextApiResponse } from "next";

const complycube = new ComplyCube();

export default async function mint(_request: NextApiRequest, response: NextApiResponse) {
  response.json({ token: await complycube.token.generate("CLIENT_ID", { appId: "com.example.app" }) });
}
