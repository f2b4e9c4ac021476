/** An enlarged image with a box on it. */

import { element, svg } from "./elements.js";

/** @import { BoxKind, Frame } from "../types.d.ts" */

/**
 * Makes a canvas in a frame.
 * @param {BoxKind} kind of the box.
 * @param {Object<string, any>} given attributes of the canvas.
 * @returns {Frame}
 */
export function createFrame(kind, given = {}) {
  const canvas = element("canvas", { class: "map", ...given });
  const path = svg("path", { class: `mark ${kind}` });
  const cover = svg("path", { class: "cover" });
  const drawing = svg("svg", {}, cover, path);
  return {
    canvas,
    node: element("div", { class: "look-frame" }, canvas, drawing),
    mark(box, height, width) {
      drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
      path.setAttribute("d", box ? outline(box, height, width) : "");
    },
    cover(from, height, width) {
      const [row, column] = from ?? [height, 0];
      const rest = column < width ? `M${column} ${row}H${width}V${row + 1}H${column}Z` : "";
      cover.setAttribute("d", row < height ? `${rest}M0 ${row + 1}H${width}V${height}H0Z` : "");
    },
  };
}

/** Returns a box as a path, cut where it hangs over the edge. */
function outline(box, height, width) {
  const cut = (value, most) => Math.min(most, Math.max(0, value));
  const [top, bottom] = [box.top, box.top + box.height].map((y) => cut(y, height));
  const [left, right] = [box.left, box.left + box.width].map((x) => cut(x, width));
  return `M${left} ${top}H${right}V${bottom}H${left}Z`;
}
