/** The kernels of a convolution as images. */

import { decode } from "../core/base64.js";
import { button, element, say } from "../core/elements.js";
import { kernelGeometry } from "./layout.js";
import { createPainter } from "./paint.js";
import { t } from "../core/texts.js";

/** @import { App } from "../types.d.ts" */

/** The panel of the layer whose kernels the URL names. */
export class Kernels {
  #paint = () => {};
  #control = new AbortController();

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.title = element("h2", { id: "kernels-title" });
    this.note = element("span", { class: "muted" });
    const close = button(t("draw.close"), {
      id: "close-kernels",
      class: "small quiet",
      onclick: () => app.state.set({ kernels: null }),
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
    const [, number, layer] = /^(?:(\d):)?(.+)$/.exec(state.get("kernels") ?? "") ?? [];
    const model = models[Number(number ?? 1) - 1];
    this.off();
    this.node.hidden = !layer || !model;
    if (this.node.hidden) return;
    const { signal } = (this.#control = new AbortController());
    try {
      const answer = await api.get("/v1/kernels", { model, layer, maps }, { signal });
      if (!signal.aborted) this.#show(answer, models.length > 1 ? model : "");
    } catch (error) {
      if (signal.aborted) return;
      this.node.hidden = true;
      if (error.status !== 400) fail(error); // 400: another model, which has no such layer
    }
  }

  repaint() {
    this.#paint();
  }

  off() {
    this.#control.abort();
    this.#paint = () => {};
  }

  #show(answer, model) {
    const [outs, ins, height, width] = answer.shape;
    const [o, i] = answer.shown;
    const layer = [model, answer.layer].filter(Boolean).join(" ");
    this.node.dataset.layer = answer.layer;
    say(this.title, t("draw.kernels-of", { layer, outs, ins, height, width }));
    const some = o < outs || i < ins ? t("draw.kernels-some", { o, outs, i, ins }) : "";
    say(this.note, `${t(ins === 1 ? "draw.kernels-one" : "draw.kernels-grid")} ${some}`);
    this.canvas.setAttribute("aria-label", this.title.textContent);
    const side = i === 1 ? 48 : o > 16 ? 18 : 30;
    const painter = createPainter(this.canvas, kernelGeometry(answer.shape, answer.shown, side));
    const values = { ...answer, bytes: decode(answer.data) };
    this.#paint = () => painter(values, this.app.theme.dark);
    this.#paint();
  }
}
