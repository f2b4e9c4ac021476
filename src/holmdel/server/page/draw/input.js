/** The image as the network was given it. */

import { decode } from "../core/base64.js";
import { element, say } from "../core/elements.js";
import { drawImage } from "../core/maps.js";
import { createFrame } from "../core/frame.js";
import { t } from "../core/texts.js";

/** @import { Box } from "../types.d.ts" */

/** Makes the picture that the network saw. */
export function createInputImage() {
  const frame = createFrame("field", { id: "seen", role: "img", "aria-label": t("draw.seen") });
  const size = element("span", { class: "muted number" });
  const caption = element("figcaption", {}, element("b", {}, t("draw.seen")), size);
  /** @type {number[]} */
  let shape = [1, 28, 28];
  let input = shape;
  return {
    node: element("figure", { class: "seen" }, frame.node, caption),
    /** Shows `seen` of an answer; `picture` is the shape of the network's input. */
    show({ shape: given, data }, picture) {
      [shape, input] = [given, picture];
      drawImage(frame.canvas, decode(data), shape);
      say(size, shape.join("\u00d7"));
    },
    /** Shows a box, given in pixels of the input; null takes it away. */
    mark(box) {
      frame.mark(box && onSeen(box, shape, input), shape[1], shape[2]);
    },
  };
}

/**
 * Returns a box of the input on the stored picture, which was padded or resized.
 * @param {Box} box
 * @param {number[]} shape of the stored picture.
 * @param {number[]} input the network's shape.
 */
function onSeen(box, [, height, width], [, inputHeight, inputWidth]) {
  const padded = inputHeight - height <= 8; // 28 to 32, as in the 1998 paper
  const scale = padded ? 1 : height / inputHeight;
  const [top, left] = padded
    ? [Math.floor((inputHeight - height) / 2), Math.floor((inputWidth - width) / 2)]
    : [0, 0];
  return {
    top: (box.top - top) * scale,
    left: (box.left - left) * scale,
    height: box.height * scale,
    width: box.width * scale,
  };
}
