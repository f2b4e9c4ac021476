/** The panel of the chosen unit. */

import { button, element, say } from "../core/elements.js";
import { KINDS } from "../network/boxes.js";
import { digits, fixed } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { placeText } from "./grids.js";
import { createMapFigure } from "./map.js";
import { explain } from "./explanation.js";
import { placesOf, strongest, termsOf } from "./sum.js";

/** @import { LayerView } from "../network/layer.js" */
/** @import { Unit } from "../types.d.ts" */

/** The panel: the unit's name and value, where it looks, and how its value comes about. */
export class UnitView {
  /**
   * @param {{theme: {dark: boolean}, onPin: () => void, onClose: () => void}} options `theme` says
   *   whether the page is dark.
   */
  constructor({ theme, onPin, onClose }) {
    this.theme = theme;
    this.looks = { field: createMapFigure("field"), window: createMapFigure("window"), unit: createMapFigure("unit") };
    this.story = element("div", { class: "story" });
    const looks = element("div", { class: "looks" });
    looks.append(...KINDS.map((kind) => this.looks[kind].node));
    this.body = element("div", { class: "unit-body", hidden: true }, looks, this.story);
    this.hint = element("p", { class: "muted" }, t("draw.unit-hint"));
    this.title = element("h3", { id: "unit-title" });
    this.value = element("output", { class: "mono", id: "unit-value" });
    const pin = { id: "pin", class: "small", "aria-pressed": "false", onclick: onPin };
    this.pin = button(t("draw.pin"), pin);
    const close = { id: "close-unit", class: "small quiet", onclick: onClose };
    const parts = [this.title, this.value, this.pin, button(t("draw.close"), close)];
    this.head = element("div", { class: "unit-head", hidden: true }, ...parts);
    const given = { class: "unit panel", "aria-labelledby": "unit-title", id: "unit" };
    this.node = element("section", given, this.hint, this.head, this.body);
  }

  /**
   * Shows a unit.
   * @param {Unit} unit
   * @param {Map<string, LayerView>} layers those of its network, by name.
   * @param {boolean} pinned
   */
  show(unit, layers, pinned) {
    this.#open(true);
    this.node.dataset.unit = [unit.layer, ...unit.unit].join(".");
    say(this.title, `${unit.layer} \u00b7 ${unit.kind} \u00b7 ${placeText(unit.unit)}`);
    say(this.value, valueText(unit));
    this.value.dataset.value = String(unit.value);
    this.pin.setAttribute("aria-pressed", String(pinned));
    say(this.pin, t(pinned ? "draw.pinned" : "draw.pin"));
    this.#showLooks(unit, layers);
    this.body.classList.toggle("brief", !unit.kernel);
    this.story.replaceChildren(...explain(unit));
  }

  hide() {
    this.#open(false);
    delete this.node.dataset.unit;
  }

  #open(open) {
    this.hint.hidden = open;
    this.head.hidden = this.body.hidden = !open;
    this.node.classList.toggle("shown", open);
  }

  /** @param {Unit} unit @param {Map<string, LayerView>} layers */
  #showLooks(unit, layers) {
    const { looks } = this;
    const { dark } = this.theme;
    const { before, field, unit: at } = unit;
    const channel = before.window ? strongestChannel(unit) : 0;
    const seen = before.layer === "input" || !before.window ? null : layers.get(before.layer);
    const seenText = t("draw.look-window", { layer: before.layer, map: channel + 1 });
    const ownText = t("draw.look-unit", { layer: unit.layer, map: at[0] + 1 });
    const own = { top: at[1], left: at[2], height: 1, width: 1 };
    looks.field.show(field ? layers.get("input") : null, 0, field, t("draw.look-field"), dark);
    looks.window.show(seen, channel, before.window, seenText, dark);
    looks.unit.show(layers.get(unit.layer), at[0], own, ownText, dark);
  }
}

function valueText(unit) {
  if (unit.value === null) return "";
  const terms = termsOf(unit);
  return `= ${terms.length ? fixed(unit.value, placesOf(terms)) : digits(unit.value)}`;
}

function strongestChannel(unit) {
  const lines = unit.operation === "convolution" && unit.patch;
  return lines ? strongest(unit)[0].channel : (unit.before.channels[0] ?? 0);
}
