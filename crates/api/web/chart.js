// A small chart of waiting and running searches over the last two minutes.

const SVG = "http://www.w3.org/2000/svg";
const SECONDS = 120;
const HEIGHT = 32;

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** An empty chart; `label` is its name for screen readers. */
export function chart(label) {
  const svg = shape("svg", {
    class: "chart", role: "img", viewBox: `0 -1 ${SECONDS} ${HEIGHT + 2}`, preserveAspectRatio: "none",
  });
  const title = shape("title", {});
  const waits = shape("polyline", { class: "waits" });
  const runs = shape("polyline", { class: "runs" });
  svg.append(title, waits, runs);
  const points = [];

  /** Adds the numbers of one more second. */
  function add(waiting, running) {
    points.push([waiting, running]);
    if (points.length > SECONDS) points.shift();
    const most = Math.max(1, ...points.flat());
    const line = (which) => points.map((point, index) => {
      const x = SECONDS - points.length + index + 1;
      return `${x},${(HEIGHT * (1 - point[which] / most)).toFixed(1)}`;
    }).join(" ");
    waits.setAttribute("points", line(0));
    runs.setAttribute("points", line(1));
    title.textContent = `${label}: ${waiting} waiting, ${running} running, at most ${most} in the last two minutes`;
  }
  return { svg, add };
}
