/** From the network to a unit's sum, before one's eyes: windows and kernels meet, products flow into
 * the sum, the sum into the unit. Nothing moves where the system asks for little motion. */

import { element } from "../core/elements.js";
import { rectangle } from "../network/boxes.js";
import { boxOf } from "../network/follow.js";
import { moved, still } from "../network/passage.js";

/** @import { NetworkView } from "../network/view.js" */
/** @import { Unit } from "../types.d.ts" */

const EASE = "cubic-bezier(.4, 0, .2, 1)";
const TIME = { fly: 620, meet: 260, cell: 16, flow: 520, home: 620, line: 160 }; // ms
const LINES = 2; // products that are in sight at first
const ROWS = 12;

/** What is on its way: made in one place, so that it can end at once. */
class Stage {
  /** @type {Animation[]} */
  #running = [];
  node = element("div", { class: "passage", "aria-hidden": "true" });

  /** Animates an element; what it is before and after is what CSS says. */
  play(node, frames, delay, duration, easing = EASE) {
    const running = node.animate(frames, { delay, duration, easing, fill: "backwards" });
    this.#running.push(running);
    return running;
  }

  /** Shows an element only from some time on, from small to its size. */
  appear(node, delay, duration = TIME.meet, from = "none") {
    if (node) this.play(node, [{ opacity: 0, transform: from }, { opacity: 1, transform: "none" }], delay, duration);
  }

  /** Lets a copy of an element go from one place to another. */
  fly(node, from, to, delay, duration, fading = false) {
    const box = node.getBoundingClientRect();
    const copy = node.cloneNode(true);
    Object.assign(copy.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
    this.node.append(copy);
    const at = (place, opacity) => ({ transform: moved(place, box), transformOrigin: "0 0", opacity });
    this.play(copy, [at(from, fading ? 1 : 0.35), at(to, fading ? 0.15 : 1)], delay, duration).onfinish = () => copy.remove();
    if (delay) this.play(copy, [{ visibility: "hidden" }, { visibility: "hidden" }], 0, delay, "linear");
  }

  /** Ends all of it. */
  end = () => {
    this.#running.forEach((running) => running.cancel());
    this.node.remove();
  };
}

/**
 * Shows where a pinned unit's value comes from: it is to be in the panel already.
 * @param {NetworkView} view
 * @param {{node: HTMLElement, story: HTMLElement}} panel
 * @param {Unit | null} unit null where only the lines and the story come, as on the way back
 * @returns {{end: () => void, time: number}} `time`: ms until all of it is there.
 */
export function passage(view, panel, unit) {
  if (still()) return { end: () => {}, time: 0 };
  view.edges.draw(unit === null);
  const stage = new Stage();
  panel.node.parentElement?.append(stage.node);
  const summed = unit && shownSum(stage, view, panel, unit);
  if (!summed) stage.appear(panel.story, 0, TIME.fly, "translateY(8px)");
  const there = summed || TIME.fly;
  const last = unit && goHome(stage, view, panel, unit, there);
  if (last) last.onfinish = () => stage.node.remove();
  else stage.node.remove();
  return { end: stage.end, time: there + (last ? TIME.home : 0) };
}

/** Lets the parts of the sum come. @returns {number} ms until it is there; 0 without a sum. */
function shownSum(stage, view, { story }, unit) {
  const lines = [...story.querySelectorAll(".line")].filter((line) => inSight(line, story)).slice(0, LINES);
  if (lines.length) return Math.max(...lines.map((line, i) => productsOf(stage, view, story, line, unit, i * TIME.line)));
  const grid = story.querySelector(":scope > .numbers");
  const from = grid && windowAt(view, unit, unit.before.channels[0]);
  if (grid && from) {
    flown(stage, grid, from, 0);
    return TIME.fly;
  }
  const rows = [...story.querySelectorAll("tbody tr")].slice(0, ROWS);
  rows.forEach((row, i) => stage.appear(row, 200 + i * 50, TIME.meet, "translateX(-16px)"));
  const graph = story.querySelector(".curve path:nth-of-type(2)");
  if (graph) curveDrawn(stage, story, graph);
  return graph ? TIME.fly : rows.length * 50;
}

/** One line of a sum: the window comes from the network, meets its kernel, the products come cell by cell. */
function productsOf(stage, view, story, line, unit, delay) {
  const [patch, kernel, products] = line.querySelectorAll(".numbers");
  const from = windowAt(view, unit, Number(line.dataset.channel));
  if (!products) return 0;
  if (from) flown(stage, patch, from, delay);
  const meets = delay + (from ? TIME.fly : 0);
  stage.appear(kernel, meets - TIME.meet, TIME.meet, "translateY(-14px)");
  line.querySelectorAll(".sign").forEach((sign, i) => stage.appear(sign, meets + i * TIME.meet));
  [...products.children].forEach((cell, i) => stage.appear(cell, meets + TIME.meet + i * TIME.cell, TIME.meet, "scale(.4)"));
  const there = meets + 2 * TIME.meet + products.children.length * TIME.cell;
  const total = story.querySelector(".equation b");
  if (total) stage.fly(products, products.getBoundingClientRect(), total.getBoundingClientRect(), there, TIME.flow, true);
  return there + TIME.flow;
}

function flown(stage, grid, from, delay) {
  stage.fly(grid, from, grid.getBoundingClientRect(), delay, TIME.fly);
  stage.play(grid, [{ opacity: 0 }, { opacity: 0 }], 0, delay + TIME.fly, "linear");
}

function curveDrawn(stage, story, graph) {
  graph.setAttribute("pathLength", "1");
  stage.play(graph, [{ strokeDasharray: "0 1" }, { strokeDasharray: "1 0" }], 0, TIME.fly);
  for (const part of story.querySelectorAll(".curve .drop, .curve circle")) stage.appear(part, TIME.fly - TIME.meet);
}

/** The sum stands out, and goes to the unit's place in the network. */
function goHome(stage, view, { node, story }, unit, delay) {
  const total = story.querySelector(".equation b") ?? node.querySelector("#unit-value");
  const layer = view.layers.get(unit.layer);
  const to = layer && placeOf(layer, unit.unit[0], boxOf(unit.unit));
  if (!total || !to || to.bottom > node.getBoundingClientRect().top) return null; // below the panel, as on a phone
  stage.play(total, [{ color: "inherit" }, { color: "var(--unit)" }, { color: "inherit" }], delay, 2 * TIME.home);
  const ring = element("i", { class: "passage-ring" });
  Object.assign(ring.style, { left: `${to.left}px`, top: `${to.top}px`, width: `${to.width}px`, height: `${to.height}px` });
  stage.node.append(ring);
  const from = total.getBoundingClientRect();
  const [x, y] = [to.left + to.width / 2, to.top + to.height / 2];
  stage.fly(total, from, new DOMRect(x - from.width / 3, y - from.height / 3, from.width / 1.5, from.height / 1.5), delay, TIME.home, true);
  return stage.play(ring, [{ opacity: 1, transform: "scale(1)" }, { opacity: 0, transform: "scale(4)" }], delay + TIME.home, TIME.home);
}

/** Where a unit's window lies on the screen, in one map of the layer before. */
function windowAt(view, { before }, channel) {
  const layer = view.layers.get(before.layer);
  return layer && before.window ? placeOf(layer, channel, before.window) : null;
}

function placeOf({ canvas, geometry }, map, box) {
  const found = rectangle(geometry, map, box);
  if (!found) return null;
  const { left, top } = canvas.getBoundingClientRect();
  const [x0, y0, x1, y1] = found;
  return new DOMRect(left + x0, top + y0, x1 - x0, y1 - y0);
}

function inSight(line, story) {
  return line.getBoundingClientRect().top < story.getBoundingClientRect().bottom - 40;
}
