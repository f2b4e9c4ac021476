/** The ways of the lines between layers: never through the maps of a layer between. No DOM. */

/** @import { Arrangement, LayerPlace, Plan } from "../types.d.ts" */

const STEP = 7; // CSS pixels between two lines below the maps
const MOST_DEEP = 3;
const ROUND = 6; // CSS pixels of a corner

/**
 * Finds the edges that must go below the maps, as a shortcut does around what it leaves out.
 * @param {Arrangement} arranged
 * @returns {Map<string, number>} how deep each goes, 0 the least, by `keyOf`
 */
export function shortcuts({ places, edges }) {
  const found = edges.filter((edge) => isBlocked(places, edge[0], edge[1]));
  const columnOf = (name) => places.get(name)?.column ?? 0;
  const length = (edge) => columnOf(edge[1]) - columnOf(edge[0]);
  const taken = /** @type {number[][][]} */ ([]);
  const depths = new Map();
  for (const edge of found.sort((one, other) => length(one) - length(other))) {
    const [begin, end] = [columnOf(edge[0]), columnOf(edge[1])];
    const free = (depth) => !(taken[depth] ?? []).some(([first, last]) => begin < last && first < end);
    let depth = 0;
    while (depth < MOST_DEEP - 1 && !free(depth)) depth++;
    (taken[depth] ??= []).push([begin, end]);
    depths.set(keyOf(edge[0], edge[1]), depth);
  }
  return depths;
}

/** CSS pixels that lines take below the maps. */
export function roomBelow(depths) {
  return depths.size ? STEP * (Math.max(...depths.values()) + 1) + 5 : 0;
}

export const keyOf = (from, to) => `${from}>${to}`;

/** Whether layers stand in the way, be it in the lane of the one or of the other. */
function isBlocked(places, from, to) {
  const [one, two] = [places.get(from), places.get(to)];
  const between = [...places.values()].filter(({ column }) => column > one.column && column < two.column);
  const occupied = (own) => between.some((place) => place.alone || own.alone || place.lane === own.lane);
  return occupied(one) && occupied(two);
}

/**
 * Returns the line from a layer to another as an SVG path.
 * @param {Plan} plan @param {string} from @param {string} to
 */
export function pipeOf(plan, from, to) {
  const [one, two] = [plan.places.get(from), plan.places.get(to)];
  if (!one || !two || plan.down) return "";
  const depth = plan.shortcuts.get(keyOf(from, to));
  return depth === undefined ? across(one, two) : below(one, two, plan.floor + 4 + STEP * depth);
}

/** Level with the maps; it bends in the gap before the one or behind the other. */
function across(/** @type {LayerPlace} */ from, /** @type {LayerPlace} */ to) {
  const [right, middle] = [from.x + from.width + 3, from.y + from.height / 2];
  const [left, end] = [to.x - 3, to.y + to.height / 2];
  const bend = Math.max(4, Math.min(40, (left - right) / 2, from.slot.between));
  const straight = Math.max(right, left - 2 * bend);
  return `M${right} ${middle}H${straight}C${straight + bend} ${middle} ${left - bend} ${end} ${left} ${end}`;
}

/** Down, along below the maps, and up. */
function below(/** @type {LayerPlace} */ from, /** @type {LayerPlace} */ to, y) {
  const [begin, end] = [from.x + 0.66 * from.width, to.x + 0.34 * to.width].map(Math.round);
  const [top, last] = [from, to].map((place) => Math.min(y - ROUND, place.y + place.height + 2));
  return `M${begin} ${top}V${y - ROUND}Q${begin} ${y} ${begin + ROUND} ${y}H${end - ROUND}Q${end} ${y} ${end} ${y - ROUND}V${last}`;
}
