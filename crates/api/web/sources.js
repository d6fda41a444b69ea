// The list of sources, and the jump from a citation to its source.

import { element } from "./dom.js";

const WORDS = 6;

/** Shows sources; `details` (their passages) come only with the result. */
export function show(list, sources, details) {
  const open = new Set([...list.querySelectorAll("details[open]")].map((it) => it.closest("li").id));
  list.replaceChildren(...sources.map((source, at) => item(source, details?.[at], at + 1, open)));
}

function item(source, detail, number, open) {
  const node = document.createElement("li");
  node.id = `source-${number}`;
  node.tabIndex = -1;
  const link = element("a", source.title || source.url);
  link.className = "source-link";
  setAddress(link, source.url);
  const host = element("span", hostOf(source.url));
  host.className = "host";
  node.append(link, host);
  const passages = detail?.passages?.length ? detail.passages : [source.snippet].filter(Boolean);
  if (passages.length) node.append(passageList(passages, source.url, open.has(node.id)));
  return node;
}

function passageList(passages, address, isOpen) {
  const box = element("details", element("summary", passages.length > 1 ? `${passages.length} passages` : "Passage"));
  box.className = "passages";
  box.open = isOpen;
  for (const passage of passages) {
    const quote = element("blockquote", passage);
    const there = element("a", "Open the page here");
    setAddress(there, address, passage);
    if (there.href) quote.append(" ", there);
    box.append(quote);
  }
  return box;
}

/** Jumps from a citation to its source: opens the passages and moves the focus. */
export function follow(list, number) {
  for (const other of list.querySelectorAll(".is-cited")) other.classList.remove("is-cited");
  const source = list.querySelector(`#source-${number}`);
  if (!source) return;
  source.classList.add("is-cited");
  const passages = source.querySelector("details");
  if (passages) passages.open = true;
  source.focus({ preventScroll: true });
  source.scrollIntoView({ block: "center" });
}

/** Sets an http or https address only: it comes from a page or an engine and may be anything. */
function setAddress(link, address, passage) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) return;
  if (passage && !url.hash) url.hash = fragment(passage);
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}

/** https://wicg.github.io/scroll-to-text-fragment/ */
function fragment(passage) {
  const words = passage.split(/\s+/).filter(Boolean).slice(0, WORDS).join(" ");
  return `:~:text=${encodeURIComponent(words).replaceAll("-", "%2D")}`;
}

function hostOf(address) {
  return URL.canParse(address) ? new URL(address).hostname : "";
}
