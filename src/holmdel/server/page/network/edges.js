/** The lines between layers: from each to those that take what it gives. */

import { svg } from "../core/elements.js";

/** @typedef {{left: number, right: number, middle: number}} Ends */

/**
 * Draws the lines behind the layers, where these are now.
 * @param {HTMLElement} grid around the layers.
 * @param {string[][]} edges names, [from, to].
 * @param {Map<string, {node: HTMLElement, canvas: HTMLElement}>} layers
 */
export function drawEdges(grid, edges, layers) {
  /** @type {Element | null} */
  let drawing = grid.querySelector(":scope > svg.edges");
  if (!drawing) {
    drawing = svg("svg", { class: "edges", "aria-hidden": "true" }, svg("path"));
    grid.prepend(drawing);
  }
  const around = grid.getBoundingClientRect();
  const boxes = new Map(
    [...layers].map(([name, { canvas }]) => {
      const box = canvas.getBoundingClientRect();
      const middle = box.top + box.height / 2 - around.top;
      return [name, { left: box.left - around.left, right: box.right - around.left, middle }];
    }),
  );
  const lines = edges.map(([from, to]) => line(boxes.get(from), boxes.get(to)));
  drawing.firstElementChild?.setAttribute("d", lines.join(""));
}

/** @param {Ends} [from] @param {Ends} [to] */
function line(from, to) {
  if (!from || !to) return "";
  const { right, middle } = from;
  const { left, middle: end } = to;
  if (left < right) return ""; // one below the other, as on a phone
  const bend = Math.min(40, (left - right) / 2);
  const curve = `C${right + bend} ${middle} ${left - bend} ${end} ${left - 3} ${end}`;
  return `M${right + 3} ${middle}${curve}`;
}
