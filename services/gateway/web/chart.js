// Risk (line, 0 to 1) and the number of candidates K (bars) over the turns.
import { make } from "./dom.js";

const WIDTH = 640, HEIGHT = 130, LEFT = 28, RIGHT = 28, TOP = 8, BOTTOM = 18;

export function chart(points) {
  const svg = make("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": `risk and number of candidates over ${points.length} turns` });
  const inner = WIDTH - LEFT - RIGHT, tall = HEIGHT - TOP - BOTTOM;
  const kMax = Math.max(4, ...points.map((point) => point.k));
  const x = (at) => LEFT + (inner * (at + 0.5)) / Math.max(points.length, 8);
  const y = (share) => TOP + tall * (1 - share);
  svg.append(make("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0) }));
  for (const [share, label] of [[0, "0"], [1, "1"]]) svg.append(make("text", { x: 4, y: y(share) + 4 }, label));
  svg.append(make("text", { x: WIDTH - RIGHT + 6, y: y(1) + 4 }, String(kMax)));
  const bar = inner / Math.max(points.length, 8) * 0.6;
  points.forEach((point, at) => svg.append(make("rect", { class: "k", x: x(at) - bar / 2, width: bar,
    y: y(point.k / kMax), height: (tall * point.k) / kMax }, make("title", {}, `turn ${point.turn}: K = ${point.k}`))));
  svg.append(make("polyline", { class: "risk", points: points.map((p, at) => `${x(at)},${y(p.risk)}`).join(" ") }));
  svg.append(make("text", { x: LEFT, y: HEIGHT - 4 }, "line: risk (left), bars: K (right), by turn"));
  return svg;
}
