// Changes a key for a cookie, and goes back to where it was wanted.

import { byId } from "./dom.js";

function fail(message) {
  byId("error").textContent = message;
  byId("error").hidden = false;
}

/** An address of this service only: whoever made the link may have put anything there. */
function destination() {
  const to = new URLSearchParams(location.search).get("to") ?? "/";
  if (!URL.canParse(to, location.origin)) return "/";
  const url = new URL(to, location.origin);
  return url.origin === location.origin ? url.href : "/";
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key: byId("key").value.trim() }),
  };
  const answer = await fetch("/api/v1/sign-in", init).catch(() => null);
  if (!answer) return fail("The service does not answer. Is it running?");
  if (answer.status === 401) return fail("This is none of its keys.");
  if (!answer.ok) return fail(`The service cannot sign in anybody at the moment (${answer.status}).`);
  location.assign(destination());
});
