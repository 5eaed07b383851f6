// Stands in for your own session.
export { sessionOf } from "../../sessions.ts";
