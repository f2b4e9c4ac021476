/** The panel of the chosen unit: beside or below the network, always in the same place. */

import { button, element, say } from "../core/elements.js";
import { digits } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { boxOf } from "../network/follow.js";
import { kindName, kindText, placeText } from "../network/names.js";
import { showAll, told } from "./digits.js";
import { explain } from "./explanation.js";
import { createMapFigure } from "./map.js";
import { createSlide } from "./slide.js";
import { explainSoftmax } from "./softmax.js";
import { strongest } from "./sum.js";

/** @import { LayerView } from "../network/layer.js" */
/** @import { Activations, Unit, UnitOptions } from "../types.d.ts" */

const KINDS = /** @type {const} */ (["field", "window", "unit"]);

/** The panel: the unit's name and value, where it looks, and how its value comes about. */
export class UnitView {
  /** @type {(() => void) | null} */
  #again = null; // shows once more what is shown

  /** @param {UnitOptions} options */
  constructor({ theme, state, onPin, onClose, move }) {
    this.theme = theme;
    this.state = state;
    this.looks = { field: createMapFigure("field"), window: createMapFigure("window"), unit: createMapFigure("unit") };
    this.story = element("div", { class: "story", tabindex: "0", role: "group", "aria-labelledby": "unit-title" });
    this.lookBox = element("div", { class: "looks" }, ...KINDS.map((kind) => this.looks[kind].node));
    this.about = element("div", { class: "about", id: "kind-text", tabindex: "0", role: "group", "aria-label": t("unit.about") });
    this.body = element("div", { class: "unit-body", hidden: true }, this.lookBox, this.story, this.about);
    this.hint = element("div", { class: "hint" }, element("p", {}, t("draw.unit-hint")));
    this.slide = createSlide({ move, onPlay: () => this.#again?.() });
    this.title = element("h3", { id: "unit-title" });
    this.value = element("output", { class: "mono", id: "unit-value" });
    this.pin = button(t("draw.pin"), { id: "pin", class: "small", "aria-pressed": "false", onclick: onPin });
    const flip = () => state.set({ digits: state.get("digits") ? null : "all" });
    this.digits = button(t("unit.digits"), { id: "all-digits", class: "small", "aria-pressed": "false", title: t("unit.digits-help"), onclick: flip });
    this.head = this.#headOf(onClose);
    const given = { class: "unit panel", "aria-labelledby": "unit-title", id: "unit" };
    this.node = element("section", given, this.hint, this.head, this.body);
  }

  #headOf(onClose) {
    const close = button("\u00d7", { id: "close-unit", class: "small quiet", "aria-label": t("draw.close"), title: t("draw.close"), onclick: onClose });
    const tools = element("div", { class: "row unit-tools" }, this.slide.node, this.digits, this.pin, close);
    return element("div", { class: "unit-head", hidden: true }, this.title, this.value, tools);
  }

  /** Shows the numbers in as many digits as the URL says. */
  refresh() {
    const all = this.state.get("digits") === "all";
    showAll(all);
    this.digits.setAttribute("aria-pressed", String(all));
    this.#again?.();
  }

  /**
   * Shows a unit.
   * @param {Unit} unit
   * @param {Map<string, LayerView>} layers those of its network, by name.
   * @param {boolean} pinned
   */
  show(unit, layers, pinned) {
    const { layer, kind, unit: at, value } = unit;
    const title = `${layer} \u00b7 ${kindName(kind)} \u00b7 ${placeText(at)}`;
    this.#present({ name: [layer, ...at].join("."), title, value, kind, pinned }, () => {
      this.#showLooks(unit, layers);
      this.body.classList.toggle("brief", !unit.kernel);
      return explain(unit);
    });
  }

  /** Shows how a class's probability comes out of the logits. @param {Activations} answer @param {number} index */
  showSoftmax(answer, index, pinned) {
    const [label, value] = [answer.classes[index], answer.probabilities[index]];
    const title = `softmax \u00b7 ${t("draw.class-of", { label })}`;
    this.#present({ name: `softmax.${index}`, title, value, kind: "Softmax", pinned }, () => {
      this.lookBox.hidden = true;
      return explainSoftmax(answer, index);
    });
  }

  /**
   * Shows another story about a unit, such as where its gradient comes from.
   * @param {{name: string, title: string, value: number | null, kind: string, pinned: boolean}} about
   * @param {() => HTMLElement[]} story
   */
  showStory(about, story) {
    this.#present(about, () => {
      this.lookBox.hidden = true;
      const parts = story();
      this.story.classList.toggle("two", parts.length === 2);
      return parts;
    });
  }

  /** Shows what a kind of layer does. @param {{name: string, kind: string, shape: number[]}} layer */
  showKind({ name, kind, shape }) {
    const title = `${name} \u00b7 ${kindName(kind)} \u00b7 ${shape.join("\u00d7")}`;
    this.#present({ name: "", title, value: null, kind, pinned: false }, () => {
      this.lookBox.hidden = true;
      return [element("p", { class: "large" }, kindText(kind) || t("kind.unknown"))];
    });
    this.about.replaceChildren();
  }

  hide() {
    this.#again = null;
    this.slide.stop();
    this.#open(false);
    delete this.node.dataset.unit;
  }

  #present({ name, title, value, kind, pinned }, story) {
    this.#open(true);
    this.story.classList.remove("two");
    this.#again = () => {
      say(this.value, value === null ? "" : `= ${told(value)}`);
      this.value.title = value === null ? "" : digits(value);
      this.story.replaceChildren(...story());
    };
    this.node.dataset.unit = name;
    this.value.dataset.value = String(value);
    say(this.title, title);
    this.pin.setAttribute("aria-pressed", String(pinned));
    this.pin.hidden = this.slide.node.hidden = !name; // a kind of layer has no place
    say(this.pin, t(pinned ? "draw.pinned" : "draw.pin"));
    const text = kindText(kind);
    this.about.replaceChildren(...(text ? [element("h4", {}, kindName(kind)), element("p", {}, text)] : []));
    this.#again();
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
    const seenText = t("draw.look-window", { layer: before.layer, map: channel });
    const ownText = t("draw.look-unit", { layer: unit.layer, map: at[0] });
    const view = layers.get(unit.layer);
    this.lookBox.hidden = !view || view.layer.shape.length !== 3;
    looks.field.show(field ? layers.get("input") : null, 0, field, t("draw.look-field"), dark);
    looks.window.show(seen, channel, before.window, seenText, dark);
    looks.unit.show(view, at[0], boxOf(at), ownText, dark);
    const [, height, width] = view?.layer.shape ?? [];
    looks.unit.cover(this.slide.playing ? [at[1], at[2] + 1] : null, height ?? 0, width ?? 0);
  }
}

function strongestChannel(unit) {
  const lines = unit.operation === "convolution" && unit.patch;
  return lines ? strongest(unit)[0].channel : (unit.before.channels[0] ?? 0);
}
