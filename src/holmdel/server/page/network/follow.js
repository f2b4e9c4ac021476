/** Lights up the path of a unit in a network: what it sees, and what that hangs on, to the input. */

import { wholeOf } from "./boxes.js";
import { fieldOf, pathOf } from "./path.js";

/** @import { LayerView } from "./layer.js" */
/** @import { NetworkView } from "./view.js" */
/** @import { Box, GradientAnswer, Unit } from "../types.d.ts" */

const MOST = 120; // coloured lines

/** @typedef {Map<string, {maps: number[] | null, box: Box | null}>} Lit what is lit up of each layer */

/**
 * Marks a unit and its path, as far as the layers' receptive fields tell.
 * @param {NetworkView} view @param {string} name @param {number[]} unit
 * @returns {Box | null} the pixels of the input that it sees.
 */
export function follow(view, name, unit) {
  const own = view.layers.get(name);
  if (!own) return null;
  const box = boxOf(unit);
  own.boxes.mark("unit", [unit[0]], box);
  if (name === "input") return box;
  own.boxes.veil([unit[0]]);
  const lit = litBy(view, name, unit);
  for (const [layer, { maps, box: region }] of lit) {
    const seen = view.layers.get(layer);
    if (!seen || layer === name) continue;
    seen.boxes.mark("field", maps ?? allMaps(seen), region ?? wholeOf(seen.geometry));
    seen.boxes.veil(maps);
  }
  connect(view, lit, name);
  return fieldOf(own.layer, unit);
}

/**
 * Marks what a unit sees of the layer before, and how much each part of it adds, by an answer.
 * @param {NetworkView} view
 * @param {Unit} unit
 * @param {{channel: number, sum: number}[]} parts what each map, or unit, adds; the largest first
 */
export function followSum(view, unit, parts) {
  const { before, field, layer: name } = unit;
  const layer = view.layers.get(before.layer);
  if (!layer || name === before.layer) return;
  const vector = layer.layer.shape.length === 1;
  const box = before.window ?? (vector && before.channels.length === 1 ? boxOf([0]) : wholeOf(layer.geometry));
  const maps = before.window || vector ? before.channels : allMaps(layer);
  layer.boxes.mark("window", maps, box);
  layer.boxes.veil(maps);
  view.edges.clear();
  const lit = litBy(view, name, unit.unit);
  for (const between of [...view.layers.keys()].slice([...view.layers.keys()].indexOf(before.layer) + 1)) {
    if (between !== name && isBetween(view, before.layer, between)) lit.delete(between); // a flattening
  }
  lit.set(before.layer, { maps, box });
  connect(view, lit, parts.length ? "" : name, parts.length ? name : "");
  if (parts.length) colour(view, unit, parts, box);
  const input = view.layers.get("input");
  if (field && input && before.layer !== "input") input.boxes.mark("field", allMaps(input), field);
}

/**
 * Marks the units through which a unit acts on the loss, and how much of its gradient each hands back.
 * @param {NetworkView} view
 * @param {GradientAnswer} answer
 */
export function followBack(view, { layer, unit, terms }) {
  view.clearMarks();
  view.layers.get(layer)?.boxes.mark("unit", [unit[0]], boxOf(unit));
  view.layers.get(layer)?.boxes.veil([unit[0]]);
  const groups = new Map();
  for (const term of terms) {
    const key = `${term.layer} ${term.unit[0]}`;
    const group = groups.get(key) ?? { to: term.layer, map: term.unit[0], sum: 0, units: [] };
    group.sum += term.gradient * term.weight;
    group.units.push(term.unit);
    groups.set(key, group);
  }
  const all = [...groups.values()].sort((one, other) => Math.abs(other.sum) - Math.abs(one.sum)).slice(0, MOST);
  const most = Math.max(...all.map((group) => Math.abs(group.sum)), Number.MIN_VALUE);
  for (const to of new Set(all.map((group) => group.to))) {
    const own = all.filter((group) => group.to === to);
    const end = around(own.flatMap((group) => group.units));
    view.layers.get(to)?.boxes.mark("window", own.map((group) => group.map), end);
    for (const { map, sum } of own) {
      view.edges.add({ from: layer, to, pairs: [[unit[0], map]], box: boxOf(unit), end, kind: "nearest", shares: [sum / most] });
    }
  }
}

/** The box around units. @returns {Box} */
function around(units) {
  const [rows, columns] = [1, 2].map((axis) => units.map((unit) => unit[axis] ?? 0));
  const [top, left] = [Math.min(...rows), Math.min(...columns)];
  return { top, left, height: Math.max(...rows) - top + 1, width: Math.max(...columns) - left + 1 };
}

/** Colours the lines to a unit by what comes along each. */
function colour(view, { before, layer, unit }, parts, box) {
  const most = Math.max(...parts.map((part) => Math.abs(part.sum)), Number.MIN_VALUE);
  const strongest = parts.slice(0, MOST);
  const pairs = strongest.map((part) => [part.channel, unit[0]]);
  const shares = strongest.map((part) => part.sum / most);
  view.edges.add({ from: before.layer, to: layer, pairs, box, end: boxOf(unit), kind: "nearest", shares });
}

/** @returns {Lit} */
function litBy(view, name, unit) {
  const layers = [...view.layers.values()].map((layer) => layer.layer);
  /** @type {Lit} */
  const lit = new Map(pathOf(layers, name, unit).map((step) => [step.layer, step]));
  return lit.set(name, { maps: [unit[0]], box: boxOf(unit) });
}

/** Draws the lines between lit layers, those to `nearest` stronger; none to `without`. */
function connect(view, /** @type {Lit} */ lit, nearest, without = "") {
  for (const [from, to] of view.plan?.edges ?? []) {
    const [before, after] = [lit.get(from), lit.get(to)];
    const [one, two] = [view.layers.get(from), view.layers.get(to)];
    if (!before || !after || !one || !two || to === without) continue;
    const pairs = pairsOf(one, before.maps ?? allMaps(one), two, after.maps ?? allMaps(two));
    const kind = to === nearest ? "nearest" : "further";
    view.edges.add({ from, to, pairs, box: before.box, end: after.box, kind });
  }
}

/** @param {LayerView} one @param {LayerView} two */
function pairsOf(one, sources, two, targets) {
  const alike = one.layer.shape[0] === two.layer.shape[0] && !two.layer.stage && !two.layer.kernels && !/Linear/.test(two.layer.kind);
  if (alike && sources.length === targets.length) return sources.map((map) => [map, map]);
  return sources.flatMap((a) => targets.map((b) => [a, b]));
}

function isBetween(view, first, name) {
  return /Flatten/.test(view.layers.get(name)?.layer.kind ?? "") && (view.plan?.edges ?? []).some(([from, to]) => from === first && to === name);
}

/** @param {number[]} unit [map, row, column], or [unit] of a vector. @returns {Box} around it. */
export function boxOf(unit) {
  const [, row, column] = unit.length === 3 ? unit : [0, 0, 0];
  return { top: row, left: column, height: 1, width: 1 };
}

/** @param {LayerView} layer */
export function allMaps({ geometry }) {
  return Array.from({ length: geometry.shown }, (_, map) => map);
}
