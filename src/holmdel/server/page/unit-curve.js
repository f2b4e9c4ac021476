/** The curve of an activation, and the point on it. */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, STEPS] = [220, 120, 80];

/**
 * @param {(x: number) => number} rule
 * @param {number} x what the unit was given.
 * @param {number} y what it gave.
 * @param {string} label
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
  const svg = made("svg", {
    class: "curve",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": label,
  });
  const [zeroX, zeroY] = place(0, 0);
  const [pointX, pointY] = place(x, y);
  svg.append(
    made("path", { class: "axis", d: `M0 ${zeroY}H${WIDTH}M${zeroX} 0V${HEIGHT}` }),
    made("path", {
      class: "graph",
      d: `M${across.map((at, i) => place(at, heights[i])).join("L")}`,
    }),
    made("path", { class: "drop", d: `M${pointX} ${zeroY}V${pointY}` }),
    made("circle", { cx: pointX, cy: pointY, r: 4.5 }),
  );
  return svg;
}

function made(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
