/** From the network to a unit's sum, before one's eyes: windows and kernels meet, products flow into
 * the sum, the sum into the unit. Nothing moves where the system asks for little motion. */

import { context2d, element } from "../core/elements.js";
import { rectangle, wholeOf } from "../network/boxes.js";
import { boxOf } from "../network/follow.js";
import { moved, still } from "../network/passage.js";

/** @import { NetworkView } from "../network/view.js" */
/** @import { Unit } from "../types.d.ts" */

const EASE = "cubic-bezier(.4, 0, .2, 1)";
const TIME = { fly: 620, meet: 260, cell: 16, flow: 520, home: 620, line: 160, tile: 70 }; // ms
const LINES = 1; // products that are in sight at first
const ROWS = 12;
const RIM = 8; // CSS pixels around what is brought into sight
const SCROLL = 700; // ms that it may take

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
    const made = [...copy.querySelectorAll("canvas")];
    node.querySelectorAll("canvas").forEach((canvas, i) => context2d(made[i]).drawImage(canvas, 0, 0));
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

/**
 * Brings a pinned unit, and what it sees, out from under the sheet that a phone shows.
 * @param {NetworkView} view @param {HTMLElement} sheet @param {{layer: string, before?: {layer: string}}} unit
 * @returns {Promise<void>} when both are there.
 */
export async function comeIntoSight(view, sheet, { layer, before }) {
  if (getComputedStyle(sheet).position !== "fixed") return;
  const nodes = [before?.layer, layer].flatMap((name) => view.layers.get(name ?? "")?.canvas ?? []);
  const boxes = nodes.map((node) => node.getBoundingClientRect());
  const [top, bottom] = [Math.min(...boxes.map((box) => box.top)), Math.max(...boxes.map((box) => box.bottom))];
  const room = sheet.getBoundingClientRect().top - 2 * RIM;
  if (!nodes.length || (top >= RIM && bottom <= room)) return;
  const by = bottom - top > room - RIM ? bottom - room : (top + bottom - room - RIM) / 2; // the unit, where not both fit
  scrollBy({ top: by, behavior: still() ? "instant" : "smooth" });
  await Promise.race([new Promise((done) => addEventListener("scrollend", done, { once: true })), new Promise((done) => setTimeout(done, SCROLL))]);
}

/** Lets the parts of the sum come. @returns {number} ms until it is there; 0 without a sum. */
function shownSum(stage, view, { story }, unit) {
  const lines = [...story.querySelectorAll(".line")].filter((line) => inSight(line, story)).slice(0, LINES);
  const sums = lines.map((line, i) => productsOf(stage, view, story, line, unit, i * TIME.line));
  if (lines.length) return Math.max(...sums, mapsMeet(stage, view, story, unit));
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

/** The maps of the layer before come out of the network, meet their kernels, and add up. @returns {number} ms */
function mapsMeet(stage, view, story, unit) {
  const tiles = [...story.querySelectorAll(".meet")];
  const total = story.querySelector(".meet-end.total .meet-sum");
  if (!total) return 0;
  const layer = view.layers.get(unit.before.layer);
  const steps = tiles.map((tile, i) => {
    const [source, kernel, result, number] = tile.children;
    const from = layer && placeOf(layer, Number(tile.dataset.map), wholeOf(layer.geometry));
    const there = i * TIME.tile + (from ? TIME.fly : TIME.meet);
    if (from) flown(stage, source, from, i * TIME.tile);
    else stage.appear(source, i * TIME.tile);
    stage.appear(kernel, there - TIME.meet, TIME.meet, "translateY(-14px)");
    stage.appear(result, there, TIME.meet, "scale(.4)");
    stage.appear(number, there + TIME.meet);
    return there + 2 * TIME.meet;
  });
  const all = Math.max(...steps);
  for (const end of story.querySelectorAll(".meet-end:is(.rest, .bias)")) stage.appear(end, all - TIME.meet);
  for (const number of story.querySelectorAll(".meet .meet-sum, .meet-end:is(.rest, .bias) .meet-sum")) {
    stage.fly(number, number.getBoundingClientRect(), total.getBoundingClientRect(), all, TIME.flow, true);
  }
  for (const end of story.querySelectorAll(".meet-end:is(.total, .after)")) {
    stage.appear(end, all + TIME.flow + (end.matches(".after") ? TIME.meet : 0) - TIME.meet);
  }
  return all + TIME.flow + TIME.meet;
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
  if (!total || !to) return null; // below the sheet
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
  const place = new DOMRect(left + x0, top + y0, x1 - x0, y1 - y0);
  const sheet = document.querySelector("#unit");
  return sheet && covered(place, sheet) ? null : place;
}

/** Whether a sheet, as on a phone, lies over a place. */
const covered = (place, sheet) => place.bottom > sheet.getBoundingClientRect().top;

function inSight(line, story) {
  return line.getBoundingClientRect().top < story.getBoundingClientRect().bottom - 40;
}
