const { ComplyCube } = require("complycube-tokens");

jest.setTimeout(60_000); // A busy machine takes its time.

const TARGET = { appId: "com.myapp.demo.app" };
const fetch = async () => ({ status: 200, headers: new Map(), text: async () => '{"token":"TOKEN"}' });
const mintThree = (client) => Promise.all([1, 2, 3].map(() => client.token.generate("CLIENT_ID", TARGET)));

test.each([0, 3_600_000])(
  "after fake timers that advanced %i ms, calls with the same key go on",
  async (ms) => {
    const apiKey = `test_key_of_clocks_${ms}`;
    jest.useFakeTimers();
    const faked = new ComplyCube({ apiKey, fetch });
    for (let i = 0; i < 8; i++) void faked.token.generate("CLIENT_ID", TARGET);
    await jest.advanceTimersByTimeAsync(ms);
    for (let i = 0; i < 8; i++) void faked.token.generate("CLIENT_ID", TARGET);
    jest.useRealTimers();

    const startedAt = performance.now();
    await mintThree(new ComplyCube({ apiKey, fetch }));

    expect(performance.now() - startedAt).toBeLessThan(30_000); // Far less than an hour.
  },
);
