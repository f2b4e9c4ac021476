/** An enlarged feature map with a box on it. */

import { element } from "../core/elements.js";
import { drawMapOf } from "../core/maps.js";
import { createFrame } from "../core/frame.js";

/** @import { BoxKind, MapFigure } from "../types.d.ts" */

/**
 * Makes a figure that shows one map of a layer and a box.
 * @param {BoxKind} kind of the box.
 * @returns {MapFigure}
 */
export function createMapFigure(kind) {
  const frame = createFrame(kind);
  const caption = element("figcaption");
  const given = { class: `look look-${kind}`, hidden: true };
  const node = element("figure", given, frame.node, caption);
  return {
    node,
    cover: frame.cover,
    show(picture, map, box, text, dark) {
      const maps = picture?.layer.shape.length === 3 && map < picture.layer.shown;
      node.hidden = !maps;
      if (!maps) return;
      const [height, width] = drawMapOf(frame.canvas, picture, map, dark);
      frame.mark(box, height, width);
      caption.textContent = text;
    },
  };
}
