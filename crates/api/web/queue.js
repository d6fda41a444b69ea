// The queue page: shows each snapshot that the service sends, and updates the ages in between.

import { chart } from "./chart.js";
import { byId, element, signIn, signInAddress } from "./dom.js";

const rowsOf = (table) => byId(table).tBodies[0];
const charts = new Map();
/** The last snapshot, and when it arrived. */
let latest = null;
let came = 0;

const since = () => (performance.now() - came) / 1000;

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Sets the text only if it changes: screen readers would announce it, and a selection would be lost. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function cell(row, name, label) {
  const node = element("td");
  node.className = name;
  node.dataset.label = label;
  row.append(node);
  return node;
}

/** Updates a table. Rows keep their elements, so that focus and charts stay. */
function keep(table, key, items, nameOf, make, fill) {
  const body = rowsOf(table);
  const known = new Map([...body.rows].map((row) => [row.dataset[key], row]));
  const named = new Set(items.map(nameOf));
  // Remove rows first: then the others need not move, and a row that moves loses the focus.
  for (const [name, row] of known) if (!named.has(name)) row.remove();
  items.forEach((item, index) => {
    const name = nameOf(item);
    let row = known.get(name);
    if (!row) {
      row = element("tr");
      row.dataset[key] = name;
      make(row, item);
    }
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
    fill(row, item);
  });
  const none = byId(table).parentElement.querySelector(".none");
  if (none) none.hidden = items.length > 0;
  byId(table).hidden = items.length === 0;
}

const put = (row, name, text) => say(row.querySelector(`.${name}`), text);

function heading(row, ...children) {
  const node = element("th", ...children);
  node.scope = "row";
  row.append(node);
}

function link(id) {
  const node = element("a", id.slice(0, 8));
  node.href = `/s/${id}`;
  node.title = id;
  return node;
}

function action(row, name, text, id, act) {
  const button = element("button", text);
  button.type = "button";
  button.className = name;
  button.setAttribute("aria-label", `${text} search ${id.slice(0, 8)}`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await act(id);
    } catch {
      tell("The service does not answer. Try again in a moment.");
    }
    button.disabled = false;
  });
  cell(row, "action", "").append(button);
}

const tell = (...children) => byId("done").replaceChildren(...children);

async function reason(answer) {
  const body = await answer.json().catch(() => ({}));
  return body.message ?? `refused with ${answer.status}`;
}

/** Calls the API; shows the error if it fails. */
async function call(method, address, what) {
  const answer = await fetch(address, { method }).catch(() => null);
  if (answer?.ok) return answer.json();
  if (answer?.status === 401) signIn();
  tell(`${what}: ${answer ? await reason(answer) : "the service does not answer"}`);
  return null;
}

async function cancel(id) {
  if (await call("DELETE", `/api/v1/search/${id}`, "Not cancelled")) tell(`Cancelled ${id.slice(0, 8)}.`);
}

async function retry(id) {
  const again = await call("POST", `/api/v1/search/${id}/retry`, "Not retried");
  if (again) tell("Retried as ", link(again.session_id), ".");
}

function showModes(modes) {
  const make = (row, mode) => {
    heading(row, mode.mode);
    for (const [name, label] of [["depth", "Waiting"], ["oldest", "Oldest"], ["running", "Running"], ["slots", "Slots"]]) {
      cell(row, name, label);
    }
    const drawn = chart(mode.mode);
    charts.set(mode.mode, drawn);
    cell(row, "drawn", "").append(drawn.svg);
  };
  keep("modes", "mode", modes, (mode) => mode.mode, make, (row, mode) => {
    put(row, "depth", String(mode.depth));
    put(row, "running", String(mode.running));
    put(row, "slots", String(mode.slots));
  });
}

/** The states of a circuit breaker in plain words. */
const ENGINE = { closed: "available", open: "paused after failures", half_open: "being tested" };

function engines(providers) {
  return providers.map((provider) => {
    const usual = provider.usual_ms == null ? "" : `, usually ${provider.usual_ms} ms`;
    const node = element("span", `${provider.name}: ${ENGINE[provider.state] ?? provider.state}${usual}`);
    node.className = "engine";
    node.dataset.state = provider.state;
    return node;
  });
}

const total = (numbers) => numbers.speed + numbers.balanced + numbers.deep;

function showWorkers(workers) {
  const make = (row, worker) => {
    heading(row, worker.name);
    for (const [name, label] of [["seen", "Last seen"], ["version", "Version"], ["busy", "Busy"], ["engines", "Engines"]]) {
      cell(row, name, label);
    }
  };
  keep("workers", "worker", workers, (worker) => worker.name, make, (row, worker) => {
    put(row, "version", worker.version);
    put(row, "busy", `${total(worker.running)} of ${total(worker.slots)} slots`);
    row.querySelector(".engines").replaceChildren(...engines(worker.providers));
  });
}

function showSearches(searches) {
  const make = (row, search) => {
    heading(row, link(search.session_id));
    for (const [name, label] of [["mode", "Mode"], ["state", "State"], ["age", "Age"]]) cell(row, name, label);
    action(row, "cancel", "Cancel", search.session_id, cancel);
  };
  keep("running", "id", searches, (search) => search.session_id, make, (row, search) => {
    put(row, "mode", search.mode);
    put(row, "state", search.status === "processing" ? "running" : "waiting");
  });
}

function showFailures(failures) {
  const make = (row, failure) => {
    const when = element("time", new Date(failure.failed_at).toLocaleString());
    when.dateTime = failure.failed_at;
    cell(row, "when", "When").append(when);
    heading(row, link(failure.session_id));
    cell(row, "mode", "Mode").append(failure.mode);
    const code = element("code", failure.error_code ?? "unknown");
    cell(row, "reason", "Reason").append(code, ` ${failure.error ?? ""}`);
    action(row, "retry", "Retry", failure.session_id, retry);
  };
  keep("failures", "id", failures, (failure) => failure.session_id, make, () => {});
}

/** Updates all ages. */
function age() {
  const passed = since();
  for (const mode of latest.modes) {
    const row = rowsOf("modes").querySelector(`[data-mode="${mode.mode}"]`);
    const oldest = mode.oldest_age_seconds;
    put(row, "oldest", oldest == null ? "–" : span(oldest + passed));
  }
  // The rows have the order of the lists.
  latest.workers.forEach((worker, index) => {
    put(rowsOf("workers").rows[index], "seen", `${span(worker.last_seen_seconds + passed)} ago`);
  });
  latest.searches.forEach((search, index) => {
    put(rowsOf("running").rows[index], "age", span(search.age_seconds + passed));
  });
}

function show(snapshot) {
  const isFirst = latest === null;
  latest = snapshot;
  came = performance.now();
  showModes(snapshot.modes);
  showWorkers(snapshot.workers);
  showSearches(snapshot.searches);
  showFailures(snapshot.failures);
  age();
  if (isFirst) draw();
}

function draw() {
  for (const mode of latest.modes) charts.get(mode.mode).add(mode.depth, mode.running);
}

function follow() {
  const source = new EventSource("/api/v1/queue/events");
  source.addEventListener("queue", (message) => {
    say(byId("live"), "live");
    show(JSON.parse(message.data));
  });
  source.addEventListener("error", () => {
    say(byId("live"), "reconnecting");
    // Refused: then browsers do not reconnect by themselves.
    if (source.readyState === EventSource.CLOSED) setTimeout(comeAgain, 2000);
  });
}

async function comeAgain() {
  const answer = await fetch("/api/v1/queue").catch(() => null);
  if (answer?.status === 401) signIn();
  else if (answer?.status === 403) await refuse(answer);
  else follow();
}

/** Says that the key is not an admin key, and offers to use another one. */
async function refuse(answer) {
  const other = element("a", "Sign in with another key");
  other.href = signInAddress();
  say(byId("live"), "not allowed");
  tell(`${await reason(answer)}. `, other);
}

setInterval(() => {
  if (latest === null) return;
  age();
  if (byId("live").textContent === "live") draw();
}, 1000);
follow();
