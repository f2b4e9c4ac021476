/** What the network saw of the picture, and which of it mattered. */

import { button, element, say } from "/page/draw-elements.js";
import { decode, drawPicture } from "/page/maps.js";
import { square } from "/page/unit-look.js";

const SVG = "http://www.w3.org/2000/svg";
const WAYS = ["saliency", "occlusion"];

/**
 * Makes the picture that the network saw.
 * @param {(key: string, values?: object) => string} t
 */
export function createSeen(t) {
  const canvas = element("canvas", { class: "map", id: "seen", role: "img", "aria-label": t("draw.seen") });
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", "mark field");
  svg.append(path);
  const size = element("span", { class: "muted number" });
  const caption = element("figcaption", {}, element("b", {}, t("draw.seen")), size);
  const frame = element("div", { class: "look-frame" }, canvas, svg);
  const node = element("figure", { class: "seen" }, frame, caption);
  let [shape, input] = [[1, 28, 28], [1, 28, 28]];
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
    ? [Math.floor((inputHeight - height) / 2), Math.floor((inputWidth - width) / 2)] : [0, 0];
  const [wide, high] = [box.width * scale, box.height * scale];
  return { top: (box.top - top) * scale, left: (box.left - left) * scale, height: high, width: wide };
}

/**
 * Makes the picture of what mattered, and the choice of the way and the class.
 * @param {object} options
 * @param {(key: string, values?: object) => string} options.t
 * @param {(way: string|null) => void} options.onWay
 * @param {(index: string|null) => void} options.onClass null for the predicted class
 */
export function createImportance({ t, onWay, onClass }) {
  const base = element("canvas", { class: "map" });
  const heat = element("canvas", { class: "map heat", id: "importance", role: "img" });
  const caption = element("figcaption");
  const figure = element("figure", { class: "seen", hidden: true },
    element("div", { class: "look-frame" }, base, heat), caption);
  const ways = Object.fromEntries(WAYS.map((way) => [way, button(t(`draw.${way}`), {
    id: way, class: "small", "aria-pressed": "false", title: t(`draw.${way}-help`),
    onclick: () => onWay(ways[way].getAttribute("aria-pressed") === "true" ? null : way),
  })]));
  const classes = element("select", {
    id: "class", "aria-label": t("draw.class"), onchange: () => onClass(classes.value || null),
  });
  const controls = element("div", { class: "ways" }, ...Object.values(ways), classes);
  let named = "";
  return {
    figure,
    controls,
    /** Shows which way and class are chosen. */
    choose(way, index, labels) {
      for (const one of WAYS) ways[one].setAttribute("aria-pressed", String(one === way));
      if (named !== labels.join()) {
        named = labels.join();
        const options = labels.map((label, i) => new Option(t("draw.for-class", { label }), i));
        classes.replaceChildren(new Option(t("draw.for-predicted"), ""), ...options);
      }
      classes.value = index ?? "";
      classes.hidden = !way;
      if (!way) figure.hidden = true;
    },
    /** Shows an answer of /v1/saliency or /v1/occlusion over the input. */
    show(answer, input) {
      figure.hidden = false;
      drawPicture(base, input.bytes, input.shape.length === 3 ? input.shape : [1, ...input.shape]);
      paintHeat(heat, answer);
      const text = t(`draw.${answer.method === "occlusion" ? "occlusion" : "saliency"}-of`, { label: answer.label });
      caption.replaceChildren(element("b", {}, text));
      heat.setAttribute("aria-label", text);
      heat.dataset.label = answer.label;
    },
  };
}

/** Paints values as colours that hide the more, the larger they are: orange for, blue against. */
function paintHeat(canvas, { shape: [height, width], low, high, data }) {
  const bytes = decode(data);
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  bytes.forEach((byte, i) => {
    const value = (low + (byte / 255) * (high - low)) / most;
    const colour = value < 0 ? [60, 140, 255] : [255, 120, 0];
    image.data.set([...colour, Math.round(235 * Math.sqrt(Math.abs(value)))], 4 * i);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
