/** A map in large with a box on it. */

import { element } from "/page/draw-elements.js";
import { drawMap } from "/page/maps.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes a figure that shows one map of a layer and a box.
 * @param {"field"|"window"|"unit"} kind of the box.
 * @returns {{node: HTMLElement, show: (layer: object|null, map: number, box: object|null,
 *   text: string, dark: boolean) => void}} `layer` is one of network-layer.js; null hides it.
 */
export function createLook(kind) {
  const canvas = element("canvas", { class: "map" });
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", `mark ${kind}`);
  svg.append(path);
  const caption = element("figcaption");
  const frame = element("div", { class: "look-frame" }, canvas, svg);
  const node = element("figure", { class: `look look-${kind}`, hidden: true }, frame, caption);
  return {
    node,
    show(layer, map, box, text, dark) {
      const maps = layer?.layer.shape.length === 3;
      node.hidden = !maps || map >= layer.geometry.shown;
      if (node.hidden) return;
      const [, height, width] = layer.layer.shape;
      const { bytes, ...range } = layer.values;
      const { low, high } = layer.layer.name === "input" ? { low: 0, high: 255 } : range;
      drawMap(canvas, bytes, width, height, { low, high, dark, offset: map * width * height });
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      path.setAttribute("d", box ? square(box, height, width) : "");
      caption.textContent = text;
    },
  };
}

/** Returns a box as an SVG path, cut where it hangs over the edge of a picture. */
export function square(box, height, width) {
  const [top, bottom] = [box.top, box.top + box.height].map((y) =>
    Math.min(height, Math.max(0, y)),
  );
  const [left, right] = [box.left, box.left + box.width].map((x) =>
    Math.min(width, Math.max(0, x)),
  );
  return `M${left} ${top}H${right}V${bottom}H${left}Z`;
}
