// Exchanges a key for a cookie, and returns to the page that required it.

import { byId } from "./dom.js";

function fail(message) {
  byId("error").textContent = message;
  byId("error").hidden = false;
}

/** The address to return to, only within this service: a link may contain any address. */
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
  if (answer.status === 401) return fail("The key is not valid.");
  if (!answer.ok) return fail(`Sign-in is not possible at the moment (${answer.status}).`);
  location.assign(destination());
});
