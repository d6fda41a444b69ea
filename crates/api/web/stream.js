// Follows a search until it has ended: by its events, or by polls where those do not get through.

import { signIn } from "./dom.js";

const KINDS = [
  "queued", "started", "stage", "sources", "text", "discard", "warning", "retry", "released",
  "completed", "failed",
];
const LAST = new Set(["completed", "failed"]);

/** Whether nothing changes any more. */
export const hasEnded = (status) => LAST.has(status);

const POLL_SECONDS = 20;
const PAUSE_MS = 2000;

export const statusAddress = (id) => `/api/v1/search/status/${id}`;

/**
 * `on.event` gets each event, `on.ended` the final result, `on.connection` whether the line holds,
 * `on.gone` is called when the search is not known any more. Returns a function that stops it all.
 */
export function follow(id, on) {
  const stop = new AbortController();
  const source = new EventSource(`/api/v1/search/${id}/events`);
  stop.signal.addEventListener("abort", () => source.close());

  source.addEventListener("open", () => on.connection(true));
  source.addEventListener("error", () => {
    if (stop.signal.aborted) return;
    on.connection(false);
    // Refused for good: it has ended meanwhile, or something on the way allows no streams.
    if (source.readyState === EventSource.CLOSED) poll(id, on, stop);
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, (message) => {
      if (stop.signal.aborted) return;
      const event = JSON.parse(message.data);
      on.event(event);
      if (LAST.has(kind)) {
        stop.abort();
        on.ended(event.result);
      }
    });
  }
  return () => stop.abort();
}

async function poll(id, on, stop) {
  while (!stop.signal.aborted) {
    try {
      const answer = await fetch(`${statusAddress(id)}?wait=${POLL_SECONDS}`, { signal: stop.signal });
      if (answer.status === 404) {
        stop.abort();
        return on.gone();
      }
      if (answer.status === 401) return signIn();
      if (answer.ok) {
        const now = await answer.json();
        on.connection(true);
        if (hasEnded(now.status)) {
          stop.abort();
          return on.ended(now);
        }
        if (now.progress) on.event({ type: "stage", ...now.progress });
        continue;
      }
    } catch (error) {
      if (stop.signal.aborted) return;
    }
    on.connection(false);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
