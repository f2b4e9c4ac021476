/** Boxes over a layer's maps: the chosen unit, its window, what lies before; a veil over the rest. */

import { svg } from "../core/elements.js";
import { origin } from "./layout.js";

/** @import { Geometry } from "./layout.js" */
/** @import { Box, Boxes } from "../types.d.ts" */

/** What boxes there are. */
export const KINDS = /** @type {const} */ (["field", "window", "unit"]);

/**
 * Makes the boxes over a canvas.
 * @param {HTMLElement} frame the positioned element around the canvas.
 * @param {Geometry} geometry
 * @returns {Boxes}
 */
export function createBoxes(frame, geometry) {
  const { veil, paths } = addPaths(frame, geometry);
  return {
    mark: (kind, maps, box) => paths[kind].setAttribute("d", box ? boxesOf(geometry, maps, box) : ""),
    veil: (kept) => veil.setAttribute("d", kept ? allBut(geometry, new Set(kept)) : ""),
  };
}

/** Returns the boxes as an SVG path; one around all units of a vector. */
function boxesOf(geometry, maps, box) {
  const { gap, shown, canvasWidth, canvasHeight, size } = geometry;
  if (gap || maps.length < shown) return maps.map((map) => around(geometry, map, box)).join("");
  return `M0 0H${canvasWidth * size}V${canvasHeight * size}H0Z`;
}

function allBut(geometry, kept) {
  const { shown } = geometry;
  const others = Array.from({ length: shown }, (_, map) => map).filter((map) => !kept.has(map));
  return others.map((map) => around(geometry, map, wholeOf(geometry))).join("");
}

/** @returns {Box} */
export function wholeOf({ height, width }) {
  return { top: 0, left: 0, height, width };
}

function addPaths(frame, geometry) {
  const { canvasWidth, canvasHeight, size } = geometry;
  const maps = Array.from({ length: geometry.gap ? geometry.shown : 0 }, (_, map) => map);
  const ends = maps.map((map) => around(geometry, map, wholeOf(geometry))).join("");
  const edges = svg("path", { class: "map-edges", d: ends }); // of maps that are as pale as paper
  const veil = svg("path", { class: "veil" });
  const paths = KINDS.map((kind) => svg("path", { class: `mark ${kind}` }));
  const given = { width: canvasWidth * size, height: canvasHeight * size, "aria-hidden": "true" };
  frame.append(svg("svg", { class: "marks", ...given }, edges, veil, ...paths));
  return { veil, paths: Object.fromEntries(KINDS.map((kind, i) => [kind, paths[i]])) };
}

/**
 * Returns where a box in a map lies in the layer's canvas, clipped to the map and one unit around it.
 * @param {Geometry} geometry
 * @param {number} map
 * @param {Box} box
 * @returns {number[] | null} [x0, y0, x1, y1] in CSS pixels; null where the map is not shown
 */
export function rectangle(geometry, map, { top, left, height, width }) {
  if (map >= geometry.shown) return null;
  const [x, y] = origin(geometry, map);
  const { size, gap } = geometry;
  const rim = Math.min(1, gap / 2);
  const within = (value, most) => Math.min(most + rim, Math.max(-rim, value));
  const [x0, x1] = [left, left + width].map((at) => (x + within(at, geometry.width)) * size);
  const [y0, y1] = [top, top + height].map((at) => (y + within(at, geometry.height)) * size);
  return [x0, y0, x1, y1];
}

function around(geometry, map, box) {
  const found = rectangle(geometry, map, box);
  if (!found) return "";
  const [x0, y0, x1, y1] = found;
  return `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
}
