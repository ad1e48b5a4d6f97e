// A chart in SVG: stacked bars for what can be added up, lines for everything else.
import { language, make, numberFormat } from "./common.js";

const palette = ["#0b5fc4", "#e07b1f", "#158a5c", "#8a56c9", "#c2384f", "#1a9bb0", "#b79312", "#6b7685", "#b0bac6"];
const svgSpace = "http://www.w3.org/2000/svg";
const frame = { width: 920, height: 300, left: 64, right: 12, top: 10, bottom: 30 };

function svg(tag, attributes, text) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function steps(most) {
  const raw = (most || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= raw);
  return Array.from({ length: Math.ceil(most / step) + 1 || 2 }, (_, index) => index * step);
}

function short(number) {
  return new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(number);
}

function drawAxes(place, labels, ticks, x, y) {
  for (const tick of ticks) {
    place.append(svg("line", { x1: frame.left, x2: frame.width - frame.right, y1: y(tick), y2: y(tick), stroke: tick ? "#e4e9ef" : "#9aa7b6" }));
    place.append(svg("text", { x: frame.left - 9, y: y(tick) + 4.5, "text-anchor": "end" }, short(tick)));
  }
  const widest = Math.max(...labels.map((label) => label.length), 1) * 7.6 + 14;
  const every = Math.max(1, Math.ceil(widest / x.step));
  let taken = 0;
  labels.forEach((label, index) => {
    if (index % every) return;
    const shown = label.length > 19 ? label.slice(0, 18) + "…" : label;
    const half = shown.length * 3.9;
    const middle = Math.min(Math.max(x(index), half), frame.width - half);
    if (middle - half < taken) return;
    taken = middle + half + 8;
    place.append(svg("text", { x: middle, y: frame.height - frame.bottom + 20, "text-anchor": "middle" }, shown));
  });
}

function scaleX(count) {
  const inner = frame.width - frame.left - frame.right;
  const scale = (index) => frame.left + (index + 0.5) * (inner / count);
  scale.step = inner / count;
  return scale;
}

export function drawChart(place, title, labels, series, stacked) {
  frame.width = Math.max(480, place.clientWidth);
  frame.height = Math.min(380, Math.max(210, Math.round(window.innerHeight * 0.3)));
  const root = svg("svg", { viewBox: `0 0 ${frame.width} ${frame.height}`, role: "img", "aria-label": title });
  const sums = labels.map((_, index) => series.reduce((sum, one) => sum + Math.max(0, one.values[index] || 0), 0));
  const highest = stacked ? Math.max(...sums, 0) : Math.max(...series.flatMap((one) => one.values.map((v) => v || 0)), 0);
  const lowest = Math.min(0, ...series.flatMap((one) => one.values.map((v) => v || 0)));
  const ticks = steps(highest);
  const top = ticks[ticks.length - 1] || 1;
  const inner = frame.height - frame.top - frame.bottom;
  const y = (value) => frame.top + inner * (1 - (value - lowest) / (top - lowest || 1));
  frame.left = Math.max(...ticks.map((tick) => short(tick).length)) * 7.8 + 16;
  const x = scaleX(labels.length);
  drawAxes(root, labels, ticks, x, y);
  if (stacked && lowest === 0) drawBars(root, labels, series, x, y);
  else drawLines(root, labels, series, x, y);
  place.replaceChildren(root);
}

function drawBars(root, labels, series, x, y) {
  const width = Math.min(64, Math.max(2, x.step * 0.7));
  labels.forEach((label, index) => {
    let below = 0;
    series.forEach((one, number) => {
      const value = one.values[index];
      if (!value) return;
      const bar = svg("rect", {
        x: x(index) - width / 2, width, y: y(below + value), height: Math.max(0.5, y(below) - y(below + value)),
        fill: palette[number % palette.length], class: "bar", "data-series": number,
      });
      bar.dataset.tip = `${label} · ${one.label}: ${numberFormat.format(value)}`;
      root.append(bar);
      below += value;
    });
  });
}

function drawLines(root, labels, series, x, y) {
  series.forEach((one, number) => {
    const points = one.values.map((value, index) => [x(index), value === null ? null : y(value), value, labels[index]]).filter((p) => p[1] !== null);
    const colour = palette[number % palette.length];
    root.append(svg("polyline", { points: points.map((p) => `${p[0]},${p[1]}`).join(" "), fill: "none", stroke: colour, "stroke-width": 2.5, class: "bar", "data-series": number }));
    for (const [cx, cy, value, label] of points) {
      const dot = svg("circle", { cx, cy, r: points.length > 60 ? 2 : 4.5, fill: colour, class: "bar", "data-series": number });
      dot.dataset.tip = `${label} · ${one.label}: ${numberFormat.format(value)}`;
      root.append(dot);
    }
  });
}

export function drawLegend(place, chart, series) {
  const highlight = (number) => {
    for (const mark of [...chart.querySelectorAll(".bar"), ...place.children]) {
      mark.classList.toggle("dim", number !== null && mark.dataset.series !== String(number));
    }
  };
  place.hidden = series.length < 2;
  place.replaceChildren(...series.map((one, number) => {
    const mark = make("i", {});
    mark.style.background = palette[number % palette.length];
    const entry = make("span", { "data-series": String(number) }, mark, one.label);
    entry.addEventListener("mouseenter", () => highlight(number));
    entry.addEventListener("mouseleave", () => highlight(null));
    return entry;
  }));
}

const tip = make("div", { class: "tip", hidden: true });
document.body.append(tip);
document.addEventListener("mousemove", (event) => {
  const text = event.target.dataset && event.target.dataset.tip;
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${event.clientY - 40}px`;
});
