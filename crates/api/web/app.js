// The search page: submits a search, follows it, shows the answer.

import { byId, element, signIn } from "./dom.js";
import * as earlier from "./history.js";
import { render } from "./markdown.js";
import * as sources from "./sources.js";
import * as stages from "./stages.js";
import { hasEnded, follow, statusAddress } from "./stream.js";

const VOID = new Set(["started", "retry", "released", "discard"]);
const STARTS = { queued: "Waiting for a worker", retry: "Trying again", released: "Waiting for another worker" };
const UNREACHABLE = "The service does not answer. Is it running?";

const view = Object.fromEntries(
  ["ask", "query", "send", "question", "error", "run", "status", "progress", "stages", "cancel", "answer", "facts",
    "retry", "permalink", "warned", "warnings", "found", "sources", "history", "forget", "main"]
    .map((id) => [id, byId(id)]),
);
let shown = { id: null, text: "", doing: "", sources: 0, stop: () => {} };

/** Clears the page for another search. */
function reset(id, query) {
  shown.stop();
  shown = { id, text: "", doing: "", sources: 0, stop: () => {} };
  for (const part of ["error", "answer", "facts", "retry", "warned", "found", "cancel", "run"]) view[part].hidden = true;
  for (const list of ["error", "answer", "facts", "warnings", "sources"]) view[list].replaceChildren();
  stages.reset(view.stages, view.progress);
  view.question.textContent = query ?? "";
  view.question.hidden = !query;
  view.permalink.hidden = !id;
  if (id) view.permalink.href = `/s/${id}`;
  document.title = query ? `${query} – PrivaChat Search` : "PrivaChat Search";
  earlier.show(view.history, id);
}

const setState = (state) => { document.body.dataset.state = state; };
const write = (text) => { if (view.status.textContent !== text) view.status.textContent = text; };

/** Shows the current step. */
function say(text) {
  shown.doing = text;
  write(text);
}

function fail(message, hint) {
  view.error.replaceChildren(element("p", message), ...(hint ? [element("p", hint)] : []));
  view.error.hidden = false;
}

/** The message of an error response, in any of its formats. */
async function reason(answer) {
  const body = await answer.json().catch(() => ({}));
  const { detail } = body;
  if (Array.isArray(detail)) return detail.map((it) => `${it.loc?.at(-1) ?? "request"}: ${it.msg}`).join(" ");
  return body.message ?? detail?.message ?? (typeof detail === "string" ? detail : `Refused (${answer.status})`);
}

/** When to retry, if the response says so. */
function pause(answer) {
  const seconds = Number(answer.headers.get("retry-after"));
  return seconds > 0 ? `Try again in ${seconds} s.` : null;
}

/** Calls the API; shows the error if it fails. */
async function call(method, address, body) {
  const init = { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) };
  const answer = await fetch(address, init).catch(() => null);
  if (!answer) fail(UNREACHABLE);
  else if (answer.status === 401) signIn();
  else if (!answer.ok) fail(await reason(answer), pause(answer));
  else return answer.json();
  return null;
}

async function ask(query, mode) {
  // Enter submits even while the button is disabled.
  if (view.send.disabled) return;
  view.send.disabled = true;
  view.error.hidden = true;
  const accepted = await call("POST", "/api/v1/search", { query, mode, async_mode: true });
  view.send.disabled = false;
  if (accepted) begin(accepted);
}

/** Shows a search that was just accepted. */
function begin({ session_id: id, query }) {
  earlier.remember(id, query);
  history.pushState({}, "", `/s/${id}`);
  watch(id, query);
}

/** Opens the search in the address. */
async function open() {
  const id = /^\/s\/([^/]+)$/.exec(location.pathname)?.[1];
  reset(null);
  setState("idle");
  if (!id) return;
  const opened = shown;
  const answer = await fetch(statusAddress(id)).catch(() => null);
  // The user opened another search meanwhile.
  if (opened !== shown) return;
  if (!answer) return fail(UNREACHABLE);
  if (answer.status === 401) return signIn();
  if (answer.status === 404) earlier.drop(id);
  if (!answer.ok) {
    return fail(answer.status === 404 ? "This search is unknown or expired." : await reason(answer), pause(answer));
  }
  const now = await answer.json();
  if (opened !== shown) return;
  if (hasEnded(now.status)) {
    reset(now.session_id, now.query);
    view.run.hidden = false;
    return end(now);
  }
  watch(now.session_id, now.query);
}

function watch(id, query) {
  reset(id, query);
  setState("pending");
  view.run.hidden = false;
  view.cancel.hidden = false;
  say(STARTS.queued);
  shown.stop = follow(id, {
    event: take,
    ended: end,
    connection: (holds) => write(holds ? shown.doing : "Connection lost, reconnecting"),
    gone: () => { reset(null); setState("idle"); fail("This search is unknown or expired."); },
  });
}

/** Applies an event to the page. */
function take(event) {
  if (VOID.has(event.type)) setText("");
  if (VOID.has(event.type) && event.type !== "discard") {
    setSources([]);
    setWarnings([]);
  }
  switch (event.type) {
    case "started":
      setState("processing");
      stages.reset(view.stages, view.progress);
      return say("Started");
    case "stage":
      setState("processing");
      stages.move(view.stages, view.progress, event);
      return say(event.message);
    case "sources":
      return setSources(event.sources);
    case "text":
      return setText(shown.text + event.delta);
    case "warning":
      return setWarnings([...view.warnings.children].map((it) => it.textContent).concat(event.message));
    case "queued": case "retry": case "released":
      return say(STARTS[event.type]);
  }
}

function setText(text) {
  const isDrawn = shown.drawing;
  shown.text = text;
  if (isDrawn) return;
  const drawn = shown;
  drawn.drawing = true;
  requestAnimationFrame(() => {
    drawn.drawing = false;
    if (drawn === shown) draw();
  });
}

function draw() {
  view.answer.replaceChildren(...render(shown.text, shown.sources));
  view.answer.hidden = shown.text === "";
}

function setSources(list, details) {
  shown.sources = list.length;
  sources.show(view.sources, list, details);
  view.found.hidden = list.length === 0;
}

function setWarnings(warnings) {
  view.warnings.replaceChildren(...warnings.map((it) => element("li", it)));
  view.warned.hidden = warnings.length === 0;
}

/** Shows the result, which replaces all that the events showed. */
function end(result) {
  setState(result.status);
  // A hidden button loses the focus; keyboard users continue from the result.
  if (document.activeElement === view.cancel) view.main.focus();
  view.cancel.hidden = true;
  setWarnings(result.warnings ?? []);
  const list = result.sources ?? [];
  if (result.status === "completed") {
    setSources(list, result.source_details);
    shown.text = result.answer ?? "";
    draw();
    setFacts(result);
    stages.finish(view.stages, view.progress);
    return say("The answer is ready");
  }
  if (list.length) setSources(list, result.source_details);
  shown.text = "";
  draw();
  fail(result.cancelled ? "The search was cancelled." : result.error ?? "The search failed.", result.error_hint);
  view.retry.hidden = false;
  return say(result.cancelled ? "Cancelled" : "Failed");
}

function setFacts(result) {
  const percent = (share) => (share == null ? null : `${Math.round(100 * share)} %`);
  const facts = [
    ["Confidence", percent(result.confidence)],
    ["Grounded", percent(result.grounding_score)],
    ["Written by", result.model_used === "extractive" ? "quotations" : result.model_used],
    ["Time", result.execution_time == null ? null : `${result.execution_time.toFixed(1)} s`],
    ["Mode", result.mode],
    ["From cache", result.cached ? "yes" : null],
  ];
  const known = facts.filter(([, value]) => value != null);
  view.facts.replaceChildren(...known.map(([name, value]) => element("div", element("dt", name), element("dd", value))));
  view.facts.hidden = false;
}

view.ask.addEventListener("submit", (event) => {
  event.preventDefault();
  const query = view.query.value.trim();
  if (query) ask(query, new FormData(view.ask).get("mode"));
});
view.query.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  view.ask.requestSubmit();
});
view.cancel.addEventListener("click", async () => {
  const cancelled = shown;
  say("Cancelling");
  const answer = await fetch(`/api/v1/search/${cancelled.id}`, { method: "DELETE" }).catch(() => null);
  // 409: the search has ended meanwhile; the page shows that or is about to.
  if (cancelled !== shown || answer?.ok || answer?.status === 409) return;
  fail(answer ? await reason(answer) : UNREACHABLE);
  say("Not cancelled");
});
view.retry.addEventListener("click", async () => {
  view.retry.disabled = true;
  const accepted = await call("POST", `/api/v1/search/${shown.id}/retry`);
  view.retry.disabled = false;
  if (accepted) {
    begin(accepted);
    view.main.focus();
  }
});
view.answer.addEventListener("click", (event) => {
  const citation = event.target.closest("a.citation");
  if (!citation) return;
  event.preventDefault();
  sources.follow(view.sources, citation.dataset.number);
});
view.forget.addEventListener("click", () => {
  earlier.forget();
  earlier.show(view.history, shown.id);
  view.query.focus();
});
window.addEventListener("popstate", open);
open();
