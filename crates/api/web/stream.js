// Follows a search until it has ended: by its event stream, or by polling where streams are blocked.

import { signIn } from "./dom.js";

const KINDS = [
  "queued", "started", "stage", "sources", "text", "discard", "warning", "retry", "released",
  "completed", "failed",
];
const LAST = new Set(["completed", "failed"]);

/** Whether the search has ended. */
export const hasEnded = (status) => LAST.has(status);

const POLL_SECONDS = 20;
const PAUSE_MS = 2000;
/** After this many refused streams in a row, poll instead. */
const MOST_REFUSALS = 5;

export const statusAddress = (id) => `/api/v1/search/status/${id}`;

/**
 * `on.event` gets each event, `on.ended` the final result, `on.connection` whether the service is
 * reachable; `on.gone` is called when the search has expired. Returns a function that stops following.
 */
export function follow(id, on) {
  const stop = new AbortController();
  let last = "";
  let refusals = 0;

  function open() {
    const source = new EventSource(`/api/v1/search/${id}/events${last && `?after=${last}`}`);
    stop.signal.addEventListener("abort", () => source.close(), { once: true });
    source.addEventListener("open", () => {
      refusals = 0;
      on.connection(true);
    });
    source.addEventListener("error", () => {
      if (stop.signal.aborted) return;
      on.connection(false);
      // The browser reconnects after a lost connection, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) refused();
    });
    for (const kind of KINDS) source.addEventListener(kind, (message) => take(JSON.parse(message.data)));
  }

  function take(event) {
    if (stop.signal.aborted) return;
    last = event.id;
    on.event(event);
    if (LAST.has(event.type)) end(event.result);
  }

  function end(result) {
    stop.abort();
    on.ended(result);
  }

  /** The search has ended, a part of the service is down, or a proxy blocks event streams. */
  async function refused() {
    refusals += 1;
    const polls = refusals > MOST_REFUSALS;
    do {
      await look(polls ? POLL_SECONDS : 0);
    } while (polls && !stop.signal.aborted);
    if (!stop.signal.aborted) open();
  }

  /** Polls the state once; pauses if the response came without a long poll. */
  async function look(wait) {
    const address = `${statusAddress(id)}?wait=${wait}`;
    const answer = await fetch(address, { signal: stop.signal }).catch(() => null);
    if (stop.signal.aborted) return;
    if (answer?.status === 401) signIn();
    if (answer?.status === 404) {
      stop.abort();
      return on.gone();
    }
    const now = answer?.ok ? await answer.json().catch(() => null) : null;
    if (stop.signal.aborted) return;
    on.connection(now !== null);
    if (now && LAST.has(now.status)) return end(now);
    if (now?.progress) on.event({ type: "stage", ...now.progress });
    if (!now || !wait) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }

  open();
  return () => stop.abort();
}
