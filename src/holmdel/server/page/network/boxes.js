/** Boxes over a layer's maps: the chosen unit, its window, its receptive field. */

import { svg } from "../core/elements.js";
import { origin } from "./layout.js";

/** @import { Geometry } from "./layout.js" */
/** @import { Box, DrawBoxes, ReceptiveField } from "../types.d.ts" */

/** What boxes there are. */
export const KINDS = /** @type {const} */ (["field", "window", "unit"]);

/**
 * Makes the boxes over a canvas.
 * @param {HTMLElement} frame the positioned element around the canvas.
 * @param {Geometry} geometry
 * @returns {DrawBoxes}
 */
export function createBoxes(frame, geometry) {
  const paths = addPaths(frame, geometry);
  return (kind, maps, box) =>
    paths[kind].setAttribute("d", box ? boxesOf(geometry, maps, box) : "");
}

/** Returns the boxes as an SVG path; one around all units of a vector. */
function boxesOf(geometry, maps, box) {
  const { gap, shown, canvasWidth, canvasHeight, size } = geometry;
  if (gap || maps.length < shown) return maps.map((map) => around(geometry, map, box)).join("");
  return `M0 0H${canvasWidth * size}V${canvasHeight * size}H0Z`;
}

function addPaths(frame, geometry) {
  const { canvasWidth, canvasHeight, size, width, height } = geometry;
  const whole = { top: 0, left: 0, height, width };
  const maps = Array.from({ length: geometry.gap ? geometry.shown : 0 }, (_, map) => map);
  const ends = maps.map((map) => around(geometry, map, whole)).join("");
  const edges = svg("path", { class: "map-edges", d: ends }); // of maps that are as pale as paper
  const paths = KINDS.map((kind) => svg("path", { class: `mark ${kind}` }));
  const given = { width: canvasWidth * size, height: canvasHeight * size, "aria-hidden": "true" };
  frame.append(svg("svg", { class: "marks", ...given }, edges, ...paths));
  return Object.fromEntries(KINDS.map((kind, i) => [kind, paths[i]]));
}

/** Returns a box in a map as an SVG path, clipped to the map and one unit around it. */
function around(geometry, map, { top, left, height, width }) {
  if (map >= geometry.shown) return "";
  const [x, y] = origin(geometry, map);
  const { size, gap } = geometry;
  const rim = Math.min(1, gap / 2);
  const within = (value, most) => Math.min(most + rim, Math.max(-rim, value));
  const [x0, x1] = [left, left + width].map((at) => (x + within(at, geometry.width)) * size);
  const [y0, y1] = [top, top + height].map((at) => (y + within(at, geometry.height)) * size);
  return `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
}

/**
 * Returns the pixels of the input that a unit sees, by its layer's receptive field.
 * @param {ReceptiveField|null} field
 * @param {number[]} unit [map, row, column]
 * @returns {Box|null}
 */
export function fieldOf(field, unit) {
  if (!field || unit.length !== 3) return null;
  const [top, left] = [0, 1].map(
    (axis) => field.offset[axis] + unit[axis + 1] * field.stride[axis],
  );
  return { top, left, height: field.size[0], width: field.size[1] };
}
