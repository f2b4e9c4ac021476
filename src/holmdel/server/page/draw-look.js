/** What the network saw of the picture. */

import { element, say } from "/page/draw-elements.js";
import { decode, drawPicture } from "/page/maps.js";
import { square } from "/page/unit-look.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes the picture that the network saw.
 * @param {(key: string, values?: object) => string} t
 */
export function createSeen(t) {
  const canvas = element("canvas", {
    class: "map",
    id: "seen",
    role: "img",
    "aria-label": t("draw.seen"),
  });
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", "mark field");
  svg.append(path);
  const size = element("span", { class: "muted number" });
  const caption = element("figcaption", {}, element("b", {}, t("draw.seen")), size);
  const frame = element("div", { class: "look-frame" }, canvas, svg);
  const node = element("figure", { class: "seen" }, frame, caption);
  let [shape, input] = [
    [1, 28, 28],
    [1, 28, 28],
  ];
  return {
    node,
    /** Shows `seen` of an answer; `picture` is the shape of the network's input. */
    show({ shape: given, data }, picture) {
      [shape, input] = [given, picture];
      drawPicture(canvas, decode(data), shape);
      svg.setAttribute("viewBox", `0 0 ${shape[2]} ${shape[1]}`);
      say(size, shape.join("\u00d7"));
    },
    /** Shows a box, given in pixels of the input; null takes it away. */
    mark(box) {
      path.setAttribute("d", box ? square(onSeen(box, shape, input), shape[1], shape[2]) : "");
    },
  };
}

/** Returns a box of the input on the stored picture, which was padded or resized. */
function onSeen(box, [, height, width], [, inputHeight, inputWidth]) {
  const padded = inputHeight - height <= 8; // 28 to 32, as in the 1998 paper
  const scale = padded ? 1 : height / inputHeight;
  const [top, left] = padded
    ? [Math.floor((inputHeight - height) / 2), Math.floor((inputWidth - width) / 2)]
    : [0, 0];
  const [wide, high] = [box.width * scale, box.height * scale];
  return {
    top: (box.top - top) * scale,
    left: (box.left - left) * scale,
    height: high,
    width: wide,
  };
}
