/** The kernels of a convolution as pictures. */

import { button, element, say } from "/page/draw-elements.js";
import { decode, scaleFor } from "/page/maps.js";

const MOST_ACROSS = 12; // kernels of a layer that sees one map, in a row

/** The panel of the layer whose kernels the URL names. */
export class Kernels {
  #last = null;

  /** @param {object} app */
  constructor(app) {
    const { t, state } = app;
    this.app = app;
    this.title = element("h3", { id: "kernels-title" });
    this.note = element("span", { class: "muted" });
    const close = button(t("draw.close"), {
      id: "close-kernels",
      class: "small quiet",
      onclick: () => state.set({ kernels: null }),
    });
    this.canvas = element("canvas", { class: "maps", id: "kernels-canvas", role: "img" });
    const named = { "aria-labelledby": "kernels-title" };
    const around = { class: "kernels-scroll", tabindex: "0", role: "group", ...named };
    this.node = element(
      "section",
      { class: "kernels panel", id: "kernels", hidden: true, ...named },
      element("div", { class: "unit-head" }, this.title, this.note, close),
      element("div", around, this.canvas),
    );
  }

  /** Opens the kernels of a layer of the network of this number, or closes them. */
  toggle(number, layer) {
    const { state } = this.app;
    const wanted = number ? `${number + 1}:${layer}` : layer;
    state.set({ kernels: state.get("kernels") === wanted ? null : wanted });
  }

  /**
   * Shows what the URL says.
   * @param {string[]} models the names of those on the page.
   * @param {number|string} maps how many at most.
   */
  async update(models, maps) {
    const { api, state, fail } = this.app;
    const wanted = state.get("kernels");
    const [, number, layer] = /^(?:(\d):)?(.+)$/.exec(wanted ?? "") ?? [];
    const model = models[(number ?? 1) - 1];
    this.node.hidden = !layer || !model;
    this.#last = null;
    if (this.node.hidden) return;
    try {
      const answer = await api.get("/v1/kernels", { model, layer, maps });
      if (state.get("kernels") === wanted) this.#show(answer, models.length > 1 ? model : "");
    } catch (error) {
      this.node.hidden = true;
      if (error.status !== 400) fail(error); // 400: another model, which has no such layer
    }
  }

  repaint() {
    if (this.#last) paintKernels(this.canvas, this.#last, this.app.theme.dark);
  }

  #show(answer, model) {
    const { t } = this.app;
    const [outs, ins, height, width] = answer.shape;
    const [o, i] = answer.shown;
    const layer = [model, answer.layer].filter(Boolean).join(" ");
    this.#last = { ...answer, bytes: decode(answer.data) };
    this.node.dataset.layer = answer.layer;
    say(this.title, t("draw.kernels-of", { layer, outs, ins, height, width }));
    const some = o < outs || i < ins ? t("draw.kernels-some", { o, outs, i, ins }) : "";
    say(this.note, `${t(ins === 1 ? "draw.kernels-one" : "draw.kernels-grid")} ${some}`);
    this.canvas.setAttribute("aria-label", this.title.textContent);
    this.repaint();
  }
}

/** Paints a row a map of the layer before and a column a map of this one; one map before: rows. */
function paintKernels(canvas, { shape, shown, bytes, low, high }, dark) {
  const [, , height, width] = shape;
  const [outs, ins] = shown;
  const columns = ins === 1 ? Math.min(outs, MOST_ACROSS) : outs;
  const rows = ins === 1 ? Math.ceil(outs / columns) : ins;
  const size = Math.max(
    2,
    Math.floor((ins === 1 ? 48 : columns > 16 ? 18 : 30) / Math.max(height, width)),
  );
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
