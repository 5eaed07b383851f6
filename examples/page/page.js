// @ts-check
// Asks the endpoint for a token, hands it to the Web SDK, and asks again when the SDK says that it has expired.

/** @type {(id: string) => HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} text */
function say(text) {
  byId("status").textContent = text;
}

const WHAT_TO_DO = /** @type {Record<string, string>} */ ({
  unauthenticated: "Please sign in first.",
  rate_limited: "We are busy. Please try again in a few seconds.",
});

async function requestToken() {
  const response = await fetch("/api/complycube-token", { method: "POST" });
  const answer = await response.json().catch(() => ({})); // A proxy's error page is no JSON.
  if (answer.token) return answer.token;
  throw new Error(WHAT_TO_DO[answer.error] ?? "Something went wrong. Please try again later.");
}

async function startVerification() {
  const token = await requestToken();
  const complycube = ComplyCube.mount({
    token,
    containerId: "complycube-mount",
    onComplete() {
      complycube.unmount();
      say("Thank you. We will let you know.");
    },
    onError({ type, message }) {
      if (type !== "token_expired") return say(message);
      complycube.unmount();
      start("Your session was renewed.");
    },
  });
}

/** @param {string} text what to say once it runs */
function start(text) {
  startVerification().then(
    () => say(text),
    (error) => say(error.message),
  );
}

byId("start").addEventListener("click", () => start("Follow the steps below."));
byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const user = /** @type {HTMLSelectElement} */ (byId("user")).value;
  const { ok } = await fetch(`/sign-in/${user}`, { method: "POST" });
  say(ok ? `Signed in as ${user}.` : "Sign-in failed.");
});
