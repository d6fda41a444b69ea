// Changes a key for a cookie, and goes back to where it was wanted.

import { byId } from "./dom.js";

function fail(message) {
  byId("error").textContent = message;
  byId("error").hidden = false;
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
  if (!answer.ok) return fail("This is none of its keys.");
  // A path of this service only: whoever made the link may have put anything there.
  const to = new URL(new URLSearchParams(location.search).get("to") ?? "/", location.origin);
  location.assign(to.origin === location.origin ? to.pathname : "/");
});
