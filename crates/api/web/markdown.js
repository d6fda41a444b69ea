// Renders answers as DOM nodes. Their text comes from pages and models, so nothing here parses HTML:
// all text becomes text nodes.

import { element } from "./dom.js";

const INLINE = /(`[^`\n]+`)|\*\*([^*\n]+)\*\*|((?:\[\d{1,3}\])+)|(\[unverified\])/g;

/** Nodes for an answer over `count` sources. */
export function render(text, count) {
  const nodes = [];
  const lines = text.split("\n");
  let block = [];
  const flush = () => {
    if (block.length) nodes.push(paragraph(block, count));
    block = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const fence = /^\s*(```+|~~~+)/.exec(line);
    const item = /^\s*(?:[-*•]|(\d+)[.)])\s+(.*)$/.exec(line);
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (fence) {
      flush();
      const code = [];
      for (at += 1; at < lines.length && !lines[at].trim().startsWith(fence[1]); at += 1) code.push(lines[at]);
      nodes.push(element("pre", element("code", code.join("\n"))));
    } else if (item) {
      flush();
      const kind = item[1] ? "OL" : "UL";
      const last = nodes.at(-1);
      const list = last?.tagName === kind ? last : element(kind);
      if (list !== last) {
        // A list that continues after a paragraph keeps its numbers.
        if (item[1]) list.start = Number(item[1]);
        nodes.push(list);
      }
      list.append(element("li", ...inline(item[2], count)));
    } else if (heading) {
      flush();
      nodes.push(element("h3", ...inline(heading[1], count)));
    } else if (line.trim() === "") {
      flush();
    } else {
      block.push(line);
    }
  }
  flush();
  return nodes;
}

function paragraph(lines, count) {
  const parts = lines.flatMap((line, at) => (at ? [element("br"), ...inline(line, count)] : inline(line, count)));
  return element("p", ...parts);
}

function inline(text, count) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const [, code, strong, cited] = match;
    if (code) parts.push(element("code", code.slice(1, -1)));
    else if (strong) parts.push(element("strong", ...inline(strong, count)));
    else if (cited) parts.push(...cited.match(/\d+/g).map((number) => citation(Number(number), count)));
    else parts.push(unverified());
  }
  parts.push(text.slice(from));
  return parts;
}

function citation(number, count) {
  if (number < 1 || number > count) return `[${number}]`;
  const link = element("a", String(number));
  link.className = "citation";
  link.href = `#source-${number}`;
  link.dataset.number = number;
  link.setAttribute("aria-label", `Source ${number}`);
  return link;
}

function unverified() {
  const mark = element("small", "unverified");
  mark.className = "unverified";
  mark.title = "The cited source does not say this.";
  return mark;
}
