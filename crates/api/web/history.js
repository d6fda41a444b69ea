// Earlier questions, stored in this browser.

import { element } from "./dom.js";

const KEY = "privachat.history";
const MOST = 50;

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(kept) ? kept.filter((it) => typeof it?.id === "string") : [];
  } catch {
    // Storage is disabled or has other content.
    return [];
  }
}

function write(entries) {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries.slice(0, MOST)));
  } catch {
    // Without storage there is no history.
  }
}

/** Adds a question at the top. */
export function remember(id, query) {
  write([{ id, query }, ...read().filter((it) => it.id !== id)]);
}

/** Removes a search that has expired. */
export function drop(id) {
  write(read().filter((it) => it.id !== id));
}

export function forget() {
  write([]);
}

/** Shows the questions and marks `current`. */
export function show(nav, current) {
  const entries = read();
  nav.hidden = entries.length === 0;
  nav.querySelector("ul").replaceChildren(...entries.map(({ id, query }) => {
    const link = element("a", query || id);
    link.href = `/s/${encodeURIComponent(id)}`;
    if (id === current) link.setAttribute("aria-current", "page");
    return element("li", link);
  }));
}
