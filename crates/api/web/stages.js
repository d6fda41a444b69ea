// The stages of a search and its progress bar.

import { element } from "./dom.js";

const STAGES = ["plan", "search", "read", "rank", "answer", "check"];
/** Where each stage begins on the bar, in percent. */
const BEGINS = [0, 8, 30, 58, 64, 94];
const ENDS = 98;

/** Shows all stages as waiting. */
export function reset(list, bar) {
  list.replaceChildren(...STAGES.map((stage) => {
    const item = element("li", stage);
    item.dataset.stage = stage;
    item.dataset.state = "waiting";
    return item;
  }));
  bar.value = 0;
}

/** Shows the progress in a `stage` event. */
export function move(list, bar, { stage, done, total }) {
  const now = STAGES.indexOf(stage);
  if (now < 0) return;
  for (const [at, item] of [...list.children].entries()) {
    item.dataset.state = at < now ? "done" : at === now ? "active" : "waiting";
    if (at === now) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
  const width = (BEGINS[now + 1] ?? ENDS) - BEGINS[now];
  bar.value = Math.max(bar.value, BEGINS[now] + (total ? (width * Math.min(done, total)) / total : 0));
}

/** Shows all stages as done. */
export function finish(list, bar) {
  for (const item of list.children) {
    item.dataset.state = "done";
    item.removeAttribute("aria-current");
  }
  bar.value = 100;
}
