/** The kernels of a convolution as pictures. */

import { button, element, say } from "/page/draw-elements.js";
import { decode, scaleFor } from "/page/maps.js";

const MOST_ACROSS = 12; // kernels of a layer that sees one map, in a row

/**
 * Makes the panel of kernels.
 * @param {object} options
 * @param {(key: string, values?: object) => string} options.t
 * @param {{dark: boolean}} options.theme
 * @param {() => void} options.onClose
 */
export function createKernels({ t, theme, onClose }) {
  const title = element("h3", { id: "kernels-title" });
  const note = element("span", { class: "muted" });
  const close = button(t("draw.close"), { id: "close-kernels", class: "small quiet", onclick: onClose });
  const canvas = element("canvas", { class: "maps", id: "kernels-canvas", role: "img" });
  const scroll = element("div", { class: "kernels-scroll", tabindex: "0", role: "group", "aria-labelledby": "kernels-title" }, canvas);
  const head = element("div", { class: "unit-head" }, title, note, close);
  const node = element("section", {
    class: "kernels panel", id: "kernels", "aria-labelledby": "kernels-title", hidden: true,
  }, head, scroll);
  let last = null;
  const paint = () => last && paintKernels(canvas, last, theme.dark);
  return {
    node,
    /** Shows an answer of /v1/kernels. */
    show(answer) {
      last = { ...answer, bytes: decode(answer.data) };
      node.hidden = false;
      node.dataset.layer = answer.layer;
      const [outs, ins, height, width] = answer.shape;
      const [o, i] = answer.shown;
      say(title, t("draw.kernels-of", { layer: answer.layer, outs, ins, height, width }));
      const some = o < outs || i < ins ? t("draw.kernels-some", { o, outs, i, ins }) : "";
      say(note, `${t(ins === 1 ? "draw.kernels-one" : "draw.kernels-grid")} ${some}`);
      canvas.setAttribute("aria-label", title.textContent);
      paint();
    },
    hide() {
      node.hidden = true;
      last = null;
    },
    repaint: paint,
  };
}

/** Paints a row a map of the layer before and a column a map of this one; one map before: rows. */
function paintKernels(canvas, { shape, shown, bytes, low, high }, dark) {
  const [, , height, width] = shape;
  const [outs, ins] = shown;
  const columns = ins === 1 ? Math.min(outs, MOST_ACROSS) : outs;
  const rows = ins === 1 ? Math.ceil(outs / columns) : ins;
  const size = Math.max(2, Math.floor((ins === 1 ? 48 : columns > 16 ? 18 : 30) / Math.max(height, width)));
  canvas.width = columns * (width + 1) - 1;
  canvas.height = rows * (height + 1) - 1;
  canvas.style.width = `${canvas.width * size}px`;
  canvas.style.height = `${canvas.height * size}px`;
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = scaleFor(low, high, dark);
  for (let from = 0, one = 0; one < outs * ins; one++) {
    const [out, input] = [Math.floor(one / ins), one % ins];
    const [column, row] = ins === 1 ? [out % columns, Math.floor(out / columns)] : [out, input];
    for (let y = 0; y < height; y++) {
      const to = (row * (height + 1) + y) * canvas.width + column * (width + 1);
      for (let x = 0; x < width; x++) pixels[to + x] = colours[bytes[from++]];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
