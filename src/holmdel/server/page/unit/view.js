/** The panel of the chosen unit: beside or below the network, always in the same place. */

import { button, element, say } from "../core/elements.js";
import { digits } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { boxOf } from "../network/follow.js";
import { kindName, kindText, placeText } from "../network/names.js";
import { showAll, told } from "./digits.js";
import { createMapFigure } from "./map.js";
import { createSlide } from "./slide.js";
import { strongest } from "./sum.js";

/** @import { NetworkView } from "../network/view.js" */
/** @import { Activations, Unit, UnitOptions } from "../types.d.ts" */

const KINDS = /** @type {const} */ (["field", "window", "unit"]);

const STOPS = /** @type {const} */ (["convolution", "pooling", "output", "softmax"]);

/** The panel: the unit's name and value, where it looks, and how its value comes about. */
export class UnitView {
  /** @type {(() => void) | null} */
  #again = null; // shows once more what is shown
  /** @type {Promise<any> | null} */
  #loading = null;
  /** @type {typeof import("./story.js").stories} what `load` loads. */
  stories;

  /** @param {UnitOptions} options */
  constructor({ theme, state, onPin, onClose, onVisit, move }) {
    this.theme = theme;
    this.state = state;
    this.looks = { field: createMapFigure("field"), window: createMapFigure("window"), unit: createMapFigure("unit") };
    this.story = element("div", { class: "story", tabindex: "0", role: "group", "aria-labelledby": "unit-title" });
    this.lookBox = element("div", { class: "looks" }, ...KINDS.map((kind) => this.looks[kind].node));
    this.about = element("div", { class: "about", id: "kind-text", tabindex: "0", role: "group", "aria-label": t("unit.about") });
    this.body = element("div", { class: "unit-body", hidden: true }, this.lookBox, this.story, this.about);
    this.stops = STOPS.map((stop) => stopOf(stop, () => onVisit(stop)));
    this.hint = element("div", { class: "hint" }, element("p", {}, t("draw.unit-hint")), element("div", { class: "tour" }, ...this.stops));
    this.slide = createSlide({ move, onPlay: () => this.#again?.() });
    this.title = element("h2", { id: "unit-title" });
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

  /** Loads what explains a unit, once. */
  load() {
    return (this.#loading ??= import("./story.js").then(({ stories }) => (this.stories = stories)));
  }

  /** Shows the numbers in as many digits as the URL says. */
  refresh() {
    const all = this.state.get("digits") === "all";
    showAll(all);
    this.digits.setAttribute("aria-pressed", String(all));
    this.#again?.();
  }

  /**
   * Shows a unit, once `load` is done.
   * @param {Unit} unit
   * @param {NetworkView} view its network
   * @param {boolean} pinned
   */
  show(unit, view, pinned) {
    const { layer, kind, unit: at, value } = unit;
    const title = `${layer} \u00b7 ${kindName(kind)} \u00b7 ${placeText(at)}`;
    this.#present({ name: [layer, ...at].join("."), title, value, kind, pinned }, () => {
      const scene = { dark: this.theme.dark, playing: this.slide.playing, picture: (name) => view.picture(name), after: (name) => view.after(name) };
      const story = this.stories.explain(unit, scene);
      this.body.classList.toggle("brief", !unit.kernel);
      this.#showLooks(unit, view, story.some((part) => part.classList.contains("met")));
      return story;
    });
  }

  /** Shows how a class's probability comes out of the logits. @param {Activations} answer @param {number} index */
  showSoftmax(answer, index, pinned) {
    const [label, value] = [answer.classes[index], answer.probabilities[index]];
    const title = `softmax \u00b7 ${t("draw.class-of", { label })}`;
    this.#present({ name: `softmax.${index}`, title, value, kind: "Softmax", pinned }, () => {
      this.lookBox.hidden = true;
      return this.stories.explainSoftmax(answer, index);
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
    this.about.replaceChildren(...(text ? [element("h3", {}, kindName(kind)), element("p", {}, text)] : []));
    this.#again();
  }

  #open(open) {
    this.hint.hidden = open;
    this.head.hidden = this.body.hidden = !open;
    this.node.classList.toggle("shown", open);
  }

  /** @param {Unit} unit @param {NetworkView} view @param {boolean} meets whether the maps are shown as they meet */
  #showLooks(unit, view, meets) {
    const { looks } = this;
    const { dark } = this.theme;
    const { before, field, unit: at } = unit;
    const channel = before.window ? strongestChannel(unit) : 0;
    const seen = before.layer === "input" || !before.window ? null : view.picture(before.layer);
    const seenText = t("draw.look-window", { layer: before.layer, map: channel });
    const ownText = t("draw.look-unit", { layer: unit.layer, map: at[0] });
    const own = view.picture(unit.layer);
    this.lookBox.hidden = own?.layer.shape.length !== 3 || meets;
    looks.field.show(field ? view.picture("input") : null, 0, field, t("draw.look-field"), dark);
    looks.window.show(seen, channel, before.window, seenText, dark);
    looks.unit.show(own, at[0], boxOf(at), ownText, dark);
    const [, height, width] = own?.layer.shape ?? [];
    looks.unit.cover(this.slide.playing ? [at[1], at[2] + 1] : null, height ?? 0, width ?? 0);
  }
}

function stopOf(stop, onclick) {
  return element("button", { type: "button", class: "stop", id: `visit-${stop}`, onclick },
    element("b", {}, t(`tour.${stop}`)), element("span", {}, t(`tour.${stop}.text`)));
}

function strongestChannel(unit) {
  const lines = unit.operation === "convolution" && unit.patch;
  return lines ? strongest(unit)[0].channel : (unit.before.channels[0] ?? 0);
}
