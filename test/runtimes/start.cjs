// As start.mjs, for CommonJS.
const { runSuite } = require("./suite.js");

const settings = JSON.parse(process.argv.at(-1));
const parts = {
  main: require("complycube-tokens"),
  client: require("complycube-tokens/client"),
  fetch: require("complycube-tokens/fetch"),
  handler: require("complycube-tokens/handler"),
  referrer: require("complycube-tokens/referrer"),
};
runSuite(parts, settings).then((results) => console.log(`\nRESULTS ${JSON.stringify(results)}`));
