/** The curve of an activation, and the point on it. */

import { svg } from "../core/elements.js";

const [WIDTH, HEIGHT, STEPS] = [220, 120, 80];

/**
 * @param {(x: number) => number} rule
 * @param {number} x what the unit was given.
 * @param {number} y what it gave.
 * @returns {SVGElement}
 */
export function curve(rule, x, y, label) {
  const reach = Math.max(4, 1.2 * Math.abs(x));
  const across = Array.from({ length: STEPS + 1 }, (_, i) => -reach + (2 * reach * i) / STEPS);
  const heights = across.map(rule);
  const [low, high] = [Math.min(...heights, 0), Math.max(...heights, 0)];
  const place = (at, value) =>
    [
      ((at + reach) / (2 * reach)) * WIDTH,
      HEIGHT - 8 - ((value - low) / (high - low || 1)) * (HEIGHT - 16),
    ].map((part) => part.toFixed(1));
  const [zeroX, zeroY] = place(0, 0);
  const [pointX, pointY] = place(x, y);
  const graph = across.map((at, i) => place(at, heights[i])).join("L");
  return svg(
    "svg",
    { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    svg("path", { class: "axis", d: `M0 ${zeroY}H${WIDTH}M${zeroX} 0V${HEIGHT}` }),
    svg("path", { d: `M${graph}` }),
    svg("path", { class: "drop", d: `M${pointX} ${zeroY}V${pointY}` }),
    svg("circle", { cx: pointX, cy: pointY, r: 4.5 }),
  );
}
