/** Curves over epochs as SVG: gets values, draws them, tells which epoch is pointed at. */

import { svg } from "../core/elements.js";

/** @import { Shown } from "../types.d.ts" */

const LEAST = 60; // CSS pixels of height
const LOW = 18; // below a low panel, which does without the axis's name
const EDGE = { top: 8, right: 10, bottom: 30, left: 46 };

/** Returns round numbers from at most `low` to at least `high`, some `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low || 1) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough * 0.999) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** Returns the lowest and highest value of all points; null for no point. */
function reach(series) {
  const values = series.flatMap((one) => [...one.points, ...one.faint]).map((point) => point[1]);
  return values.length ? [Math.min(...values), Math.max(...values)] : null;
}

/** One panel of curves. `draw` may be called as often as there is news. */
export class Curves {
  #place;
  #svg;
  /** @type {Shown | null} */
  #shown = null;
  /** @type {ReturnType<typeof scaleOf> | null} */
  #scale = null;
  #watcher;

  /**
   * @param {HTMLElement} place the panel's element; its width is the drawing's
   * @param {(x: number | null) => void} onPoint is told the epoch under the pointer
   */
  constructor(place, onPoint) {
    this.#place = place;
    this.#svg = svg("svg", { "aria-hidden": "true", class: "curves", height: 0 });
    place.append(this.#svg);
    this.#svg.addEventListener("pointermove", (event) => onPoint(this.#epochAt(event)));
    this.#svg.addEventListener("pointerdown", (event) => onPoint(this.#epochAt(event)));
    this.#svg.addEventListener("pointerleave", () => onPoint(null));
    this.#watcher = new ResizeObserver(() => this.#shown && this.draw(this.#shown));
    this.#watcher.observe(place);
  }

  /** @param {Shown} shown series of points to draw. */
  draw(shown) {
    this.#shown = shown;
    const width = Math.max(this.#place.clientWidth, 160);
    const given = this.#place.clientHeight; // the stylesheet's, where the tab is as high as the window
    const height = given > LEAST ? given : Math.round(Math.min(200, Math.max(104, width * 0.28)));
    const scale = (this.#scale = scaleOf(shown, width, height));
    const curves = shown.series.flatMap((one) => curve(one, scale));
    const at = shown.at === null ? [] : pointed(shown, shown.at, scale);
    const parts = [...axes(scale, shown), ...chanceLine(shown, scale), ...curves, ...at];
    const size = { viewBox: `0 0 ${width} ${height}`, width, height };
    for (const [name, value] of Object.entries(size)) this.#svg.setAttribute(name, String(value));
    this.#svg.replaceChildren(...parts);
  }

  /** Ends the watch over the panel's width. */
  remove() {
    this.#watcher.disconnect();
    this.#svg.remove();
  }

  #epochAt(event) {
    if (!this.#scale) return null;
    const x = event.clientX - this.#svg.getBoundingClientRect().left;
    const { left, right, epochs } = this.#scale;
    const epoch = Math.round(((x - left) / (right - left)) * epochs);
    return Math.min(Math.max(epoch, 1), epochs);
  }
}

function scaleOf(shown, width, height) {
  const [low, high] = rangeOf(shown);
  const named = height >= 90; // the axis: a low panel does without
  const rows = ticks(low, high, named ? Math.max(3, Math.round(height / 55)) : 1);
  const box = { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: height - (named ? EDGE.bottom : LOW) };
  const epochs = Math.max(shown.epochs, 1);
  const columns = ticks(0, epochs, Math.max(2, Math.round(width / 70))).filter(
    (value) => Number.isInteger(value) && value <= epochs,
  );
  const [bottom, top] = [rows[0], rows[rows.length - 1]];
  return {
    ...box,
    named,
    epochs,
    rows,
    columns,
    x: (value) => box.left + (value / epochs) * (box.right - box.left),
    y: (value) => box.bottom - ((value - bottom) / (top - bottom || 1)) * (box.bottom - box.top),
  };
}

/** Returns the ends of the vertical axis: the values', the span's at least, never past the bounds. */
function rangeOf({ series, bounds, span, first }) {
  const [least, most] = bounds;
  const [low, high] = reach(series) ?? first;
  const room = Math.max(0, span - (high - low)) / 2;
  const bottom = Math.max(least, Math.min(low - room, most - span));
  return [bottom, Math.min(most, Math.max(high + room, bottom + span))];
}

function axes({ left, right, bottom, named, rows, columns, x, y }, { label }) {
  const parts = rows.flatMap((value) => {
    const at = round(y(value));
    return [line("grid", left, at, right, at), text(String(value), left - 6, at + 4)];
  });
  for (const value of columns) {
    const at = round(x(value));
    parts.push(line("axis", at, bottom, at, bottom + 4));
    parts.push(text(String(value), at, bottom + 16, "middle"));
  }
  parts.push(line("axis", left, bottom, right, bottom));
  if (named) parts.push(text(label, right, bottom + 28));
  return parts;
}

/** What guessing gives, where that is in sight. */
function chanceLine({ chance }, { left, right, top, rows, y }) {
  if (!chance || chance.value < rows[0] || chance.value > rows[rows.length - 1]) return [];
  const at = round(y(chance.value));
  return [line("chance", left, at, right, at), text(chance.label, right - 2, at < top + 14 ? at + 13 : at - 4)];
}

function line(kind, x1, y1, x2, y2) {
  return svg("line", { class: kind, x1, y1, x2, y2 });
}

function text(content, x, y, anchor = "end") {
  return svg("text", { x, y, "text-anchor": anchor }, content);
}

function curve(one, scale) {
  const style = `run run-${one.slot}`;
  const parts = [];
  if (one.faint.length > 1) parts.push(path(one.faint, scale, `${style} faint`));
  if (one.points.length > 1) parts.push(path(one.points, scale, style));
  const dots = one.points.length > 40 ? one.points.slice(-1) : one.points;
  for (const [x, y] of dots) parts.push(dot(x, y, 2.5, one.slot, scale));
  return parts;
}

function pointed(shown, at, scale) {
  const x = round(scale.x(at));
  /** @type {SVGElement[]} */
  const parts = [line("pointed", x, scale.top, x, scale.bottom)];
  for (const one of shown.series) {
    const point = one.points.find((candidate) => candidate[0] === at);
    if (point) parts.push(dot(...point, 4.5, one.slot, scale));
  }
  return parts;
}

function dot(x, y, r, slot, scale) {
  return svg("circle", { class: `dot run-${slot}`, cx: round(scale.x(x)), cy: round(scale.y(y)), r });
}

function path(points, scale, style) {
  const d = points.map(([x, y], at) => `${at ? "L" : "M"}${round(scale.x(x))},${round(scale.y(y))}`);
  return svg("path", { class: style, d: d.join("") });
}

const round = (value) => Math.round(value * 10) / 10;
