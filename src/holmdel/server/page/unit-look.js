/** A layer's map in large with a box on it. */

import { element } from "/page/elements.js";
import { drawMap } from "/page/maps.js";
import { createFrame } from "/page/picture-frame.js";

/**
 * Makes a figure that shows one map of a layer and a box.
 * @param {"field"|"window"|"unit"} kind of the box.
 * @returns {{node: HTMLElement, show: (layer: object|null, map: number, box: object|null,
 *   text: string, dark: boolean) => void}} `layer` is one of network-layer.js; null hides it.
 */
export function createLook(kind) {
  const frame = createFrame(kind);
  const caption = element("figcaption");
  const given = { class: `look look-${kind}`, hidden: true };
  const node = element("figure", given, frame.node, caption);
  return {
    node,
    show(layer, map, box, text, dark) {
      const maps = layer?.layer.shape.length === 3;
      node.hidden = !maps || map >= layer.geometry.shown;
      if (node.hidden) return;
      const [, height, width] = layer.layer.shape;
      const { bytes, low, high } = layer.shownValues;
      drawMap(frame.canvas, bytes, width, height, { low, high, dark, offset: map * width * height });
      frame.mark(box, height, width);
      caption.textContent = text;
    },
  };
}
