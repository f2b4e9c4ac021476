/** The way back: the loss of the true class, and the gradients in the places of the maps. */

import { button, element, say } from "../core/elements.js";
import { t } from "../core/texts.js";
import { kindName, placeText } from "../network/names.js";
import { followBack } from "../network/follow.js";
import { told } from "../unit/digits.js";

/** @import { BackwardOptions, Place, ShownNetwork } from "../types.d.ts" */

const RATE = 0.1;

/** The choice of forwards or backwards, of the true class and the rate; all three are in the URL. */
export class Backward {
  #control = new AbortController();
  #labels = "";

  /** @param {BackwardOptions} options */
  constructor(options) {
    this.options = options;
    const { state } = options.app;
    this.ways = ["forward", "backward"].map((way) =>
      button(t(`draw.${way}`), { id: `way-${way}`, class: "small", title: t(`draw.${way}-help`), onclick: () => this.#turn(way) }));
    this.classes = element("select", { id: "true-class", onchange: () => state.set({ backward: this.classes.value }) });
    this.rate = element("input", {
      id: "rate", type: "number", min: 0, step: "any",
      onchange: () => state.set({ rate: Number(this.rate.value) === RATE ? null : this.rate.value }),
    });
    this.loss = element("output", { class: "mono", id: "loss" });
    const field = (name, control) => element("label", {}, `${t(name)} `, control);
    this.fields = element("span", { class: "backward-fields row" },
      field("draw.true-class", this.classes), field("draw.rate", this.rate), this.loss);
    const pair = element("span", { class: "segments", role: "group", "aria-label": t("draw.way") }, ...this.ways);
    this.node = element("div", { class: "row backward-tools" }, pair, this.fields);
  }

  /** @returns {boolean} whether gradients are shown. */
  get on() {
    return this.options.app.state.get("backward") !== null;
  }

  #turn(way) {
    const { app, model, truth, nets } = this.options;
    if (way === "forward") return app.state.set({ backward: null, rate: null });
    const { classes } = model();
    const shown = nets()[0]?.view.shown;
    const best = shown ? shown.probabilities.indexOf(Math.max(...shown.probabilities)) : 0;
    const known = classes.indexOf(truth() ?? "");
    app.state.set({ backward: known < 0 ? Math.max(0, best) : known });
  }

  #target() {
    const { classes } = this.options.model();
    return Math.min(classes.length - 1, Math.max(0, Number.parseInt(this.options.app.state.get("backward") ?? "", 10) || 0));
  }

  #rate() {
    const rate = Number.parseFloat(this.options.app.state.get("rate") ?? "");
    return Number.isFinite(rate) && rate >= 0 ? rate : RATE;
  }

  /** Shows what the URL says. */
  async update() {
    this.#showFields();
    this.#control.abort();
    this.#control = new AbortController();
    const { signal } = this.#control;
    for (const net of this.options.nets()) {
      if (!net.view.shown) continue;
      if (!this.on) net.view.overlay(null);
      else await this.#gradients(net, signal);
    }
  }

  #showFields() {
    const { classes } = this.options.model();
    this.ways.forEach((one, i) => one.setAttribute("aria-pressed", String(this.on === Boolean(i))));
    this.fields.hidden = !this.on;
    if (this.#labels !== classes.join()) {
      this.#labels = classes.join();
      this.classes.replaceChildren(...classes.map((label, i) => new Option(label, String(i))));
    }
    this.classes.value = String(this.#target());
    if (document.activeElement !== this.rate) this.rate.value = String(this.#rate());
  }

  async #gradients(net, signal) {
    const { app, picture, nets } = this.options;
    try {
      const params = { model: net.model, class: this.#target(), maps: 4096 };
      const answer = await app.api.image("/v1/gradients", params, picture(), { signal });
      if (signal.aborted) return;
      net.view.overlay(answer.layers);
      const chance = answer.probabilities[answer.class];
      if (net === nets()[0]) say(this.loss, t("draw.loss", { p: told(chance), loss: answer.loss === null ? "\u221e" : told(answer.loss) }));
    } catch (error) {
      if (!signal.aborted) app.fail(error);
    }
  }

  /**
   * Asks where the gradient of a unit comes from, or what a step makes of its kernel.
   * @param {ShownNetwork} net @param {Place} place @param {AbortController} control
   * @returns {Promise<(pinned: boolean) => void>} shows it.
   */
  async explained(net, place, control) {
    const { app, picture, panel } = this.options;
    const target = this.#target();
    const params = { model: net.model, layer: place.layer, unit: place.unit.join(","), class: target };
    const answer = await app.api.image("/v1/backward", params, picture(), control);
    const step = answer.weights && (await app.api.image("/v1/step", { ...params, rate: this.#rate() }, picture(), control));
    return (pinned) => {
      const title = `${t("draw.gradient-of")} ${answer.layer} \u00b7 ${kindName(answer.kind)} \u00b7 ${placeText(answer.unit)}`;
      const name = [answer.layer, ...answer.unit].join(".");
      const about = { name, title, value: answer.gradient, kind: "Backward", pinned };
      panel().showStory(about, () => {
        const { explainGradient, explainStep } = panel().stories;
        const half = (parts) => element("div", { class: "half" }, ...parts);
        return step ? [half(explainGradient(answer)), half(explainStep(step))] : explainGradient(answer);
      });
      followBack(net.view, answer);
    };
  }
}
