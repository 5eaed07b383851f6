// @ts-check
// Stands in for the ComplyCube Web SDK, with the part of its interface that the page uses. Like the real one it sends
// the token to another origin, which holds the page's Referer against the token: here, to the token's own issuer.

const STEPS = ["Take a photo of your document", "Take a selfie", "Send"];

/** @param {WebSdkOptions} options */
function mount({ token, containerId, onComplete, onModalClose, onError }) {
  const next = button(STEPS[0], async () => {
    const error = await callApi(token);
    if (error) return onError(error);
    done += 1;
    if (done === STEPS.length) {
      onComplete({
        documentCapture: { documentId: "DOCUMENT_ID" },
        faceCapture: { livePhotoId: "PHOTO_ID" },
      });
    }
    next.textContent = STEPS[done] ?? "";
  });
  const expire = button("Let the token expire", () =>
    onError({ type: "token_expired", message: "The token has expired." }),
  );
  const close = button("Close", onModalClose);
  let done = 0;
  const panel = document.createElement("section");
  const title = document.createElement("h2");
  title.textContent = "Web SDK (stand-in)";
  panel.append(title, next, expire, close);
  document.getElementById(containerId)?.replaceChildren(panel);
  return {
    unmount: () => panel.remove(),
    /** @param {{ token: string }} settings */
    updateSettings(settings) {
      token = settings.token;
    },
  };
}

Object.assign(globalThis, { ComplyCube: { mount } });

/**
 * @param {string | undefined} text
 * @param {() => void} onClick
 */
function button(text = "", onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.addEventListener("click", onClick);
  return element;
}

/**
 * @param {string} token
 * @returns {Promise<WebSdkError | undefined>}
 */
async function callApi(token) {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined; // The mock's token is no real one, and has no issuer.
  const { iss } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
  const response = await fetch(`${iss}/stand-in/step`, {
    method: "POST",
    headers: { authorization: token },
  });
  return response.ok ? undefined : response.json();
}
