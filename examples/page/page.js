// @ts-check
// Asks the endpoint for a token, hands it to the Web SDK, renews it, and tells the server what was captured.

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

/** A token is valid for 60 minutes. A user who takes longer gets a new one in time and loses nothing. */
const RENEW_AFTER_MS = 55 * 60_000;

async function startVerification() {
  const complycube = ComplyCube.mount({
    token: await requestToken(),
    containerId: "complycube-mount",
    async onComplete({ documentCapture, faceCapture }) {
      end();
      // Your backend creates its checks from these. Its session says whose they are.
      const capture = { documentId: documentCapture?.documentId, livePhotoId: faceCapture?.livePhotoId };
      const { ok } = await fetch("/api/verification", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(capture),
      });
      say(ok ? "Thank you. We will let you know." : "Something went wrong. Please try again later.");
    },
    onModalClose() {
      end();
      say("You can go on whenever you like.");
    },
    onError({ type, message }) {
      if (type !== "token_expired") return say(message);
      end(); // For example, the laptop was closed for an hour.
      start("Your session was renewed.");
    },
  });
  const renewal = setInterval(async () => {
    try {
      complycube.updateSettings({ token: await requestToken() });
    } catch {} // The old token still works for a while; then `onError` is called with `token_expired`.
  }, RENEW_AFTER_MS);

  function end() {
    clearInterval(renewal);
    complycube.unmount();
  }
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
