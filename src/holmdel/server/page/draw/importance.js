/** Which pixels mattered: saliency and occlusion, over what the network was given. */

import { decode } from "../core/base64.js";
import { button, context2d, element } from "../core/elements.js";
import { drawImage } from "../core/maps.js";
import { t } from "../core/texts.js";

/** @import { LayerView } from "../network/layer.js" */
/** @import { App, Upload } from "../types.d.ts" */

const WAYS = ["saliency", "occlusion"];

/** The picture of what mattered, and the choice of the way and the class; both are in the URL. */
export class Importance {
  /** @type {AbortController | null} */
  #asked = null;
  #labels = "";

  /** @param {App} app */
  constructor(app) {
    const { state } = app;
    this.app = app;
    this.base = element("canvas", { class: "map" });
    this.heat = element("canvas", { class: "map heat", id: "importance", role: "img" });
    this.caption = element("figcaption");
    const frame = element("div", { class: "look-frame" }, this.base, this.heat);
    this.figure = element("figure", { class: "seen", hidden: true }, frame, this.caption);
    this.ways = WAYS.map((way) => this.#wayButton(way));
    this.classes = element("select", {
      id: "class",
      "aria-label": t("draw.class"),
      onchange: () => state.set({ class: this.classes.value || null }),
    });
    const controls = element("div", { class: "ways" }, ...this.ways, this.classes);
    this.node = element("div", { class: "why" }, this.figure, controls);
  }

  /**
   * Shows what the URL says.
   * @param {{name: string, classes: string[]}} model
   * @param {() => Upload} picture
   * @param {LayerView|undefined} input undefined before an answer.
   */
  async update(model, picture, input) {
    const { state, api, fail } = this.app;
    const [way, index] = [state.get("why"), state.get("class")];
    this.#choose(way, index, model.classes);
    this.off();
    if (!way || !WAYS.includes(way) || !input) return;
    this.#asked = new AbortController();
    try {
      const params = { model: model.name, class: index };
      this.#show(await api.image(`/v1/${way}`, params, picture(), this.#asked), input);
    } catch (error) {
      fail(error);
    }
  }

  off() {
    this.#asked?.abort();
  }

  #wayButton(way) {
    const { state } = this.app;
    const chosen = () => state.get("why") === way;
    return button(t(`draw.${way}`), {
      id: way,
      class: "small",
      "aria-pressed": "false",
      title: t(`draw.${way}-help`),
      onclick: () => state.set(chosen() ? { why: null, class: null } : { why: way }),
    });
  }

  #choose(way, index, labels) {
    for (const one of this.ways) one.setAttribute("aria-pressed", String(one.id === way));
    if (this.#labels !== labels.join()) {
      this.#labels = labels.join();
      const options = labels.map((label, i) => new Option(t("draw.for-class", { label }), String(i)));
      this.classes.replaceChildren(new Option(t("draw.for-predicted"), ""), ...options);
    }
    this.classes.value = index ?? "";
    this.classes.hidden = !way;
    if (!way) this.figure.hidden = true;
  }

  #show(answer, { values, layer }) {
    this.figure.hidden = false;
    drawImage(this.base, values.bytes, layer.shape);
    paintHeat(this.heat, answer);
    const text = t(`draw.${this.app.state.get("why")}-of`, { label: answer.label });
    this.caption.replaceChildren(element("b", {}, text));
    this.heat.setAttribute("aria-label", text);
    this.heat.dataset.label = answer.label;
  }
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
  context2d(canvas).putImageData(image, 0, 0);
}
