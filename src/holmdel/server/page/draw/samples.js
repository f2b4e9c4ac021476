/** Images of the data set, to choose from. */

import { button, element } from "../core/elements.js";
import { t } from "../core/texts.js";

/** @import { SamplesOptions } from "../types.d.ts" */

const COUNT = 21; // three rows
const FIRST = 5; // the one that is there at the start

/** The strip of samples. */
export class Samples {
  #shown = "";

  /** @param {SamplesOptions} options */
  constructor({ app, onChoose, onMore }) {
    this.app = app;
    this.onChoose = onChoose;
    const named = { class: "samples", role: "group", "aria-label": t("draw.samples") };
    this.list = element("div", named);
    const given = { id: "more-samples", class: "small", onclick: onMore };
    const more = button(t("draw.more-samples"), given);
    const head = element("div", { class: "head" }, element("h2", {}, t("draw.samples")), more);
    this.node = element("section", { hidden: true }, head, this.list);
  }

  /**
   * Shows samples of a model's data set, or nothing where it is not here.
   * @param {string} model
   * @param {string|null} seed another gives others.
   */
  async update(model, seed) {
    const wanted = `${model} ${seed}`;
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    const params = { model, seed, count: COUNT };
    const answer = await this.app.api.get("/v1/samples", params).catch(() => null);
    if (wanted !== this.#shown) return; // others were asked for meanwhile
    this.node.hidden = !answer?.samples.length;
    if (this.node.hidden) return;
    this.list.replaceChildren(...answer.samples.map((one) => this.#made(one, answer.data)));
  }

  /** Marks the one that is chosen; null for none. */
  mark(sample) {
    for (const one of this.list.querySelectorAll("button")) {
      const chosen = sample !== null && Number(one.dataset.index) === sample.index;
      one.setAttribute("aria-pressed", String(chosen));
    }
  }

  /** Chooses one, so that there is something to see. @returns {boolean} whether there is one. */
  takeFirst() {
    const all = [...this.list.querySelectorAll("button")];
    const first = all[FIRST] ?? all[0];
    first?.click();
    return Boolean(first);
  }

  /** @param {{index: number} | null} sample @returns {string | null} its label, where it is among those shown. */
  labelOf(sample) {
    const found = sample && this.list.querySelector(`button[data-index="${sample.index}"]`);
    return found?.getAttribute("data-label") ?? null;
  }

  #made({ index, label, picture }, data) {
    const name = t("draw.sample", { label, index });
    const given = {
      type: "button",
      class: "sample",
      "data-index": index,
      "data-label": label,
      title: name,
      "aria-label": name,
      "aria-pressed": "false",
      onclick: () => this.onChoose({ index, data, picture }),
    };
    return element("button", given, element("img", { src: picture, alt: "" }));
  }
}
