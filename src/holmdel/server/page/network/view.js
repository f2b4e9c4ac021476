/** One network on the page: its layers as large as there is room, what joins them, what it says. */

import { createAnswer } from "./answer.js";
import { captionWidths } from "./caption.js";
import { decode } from "../core/base64.js";
import { element, say } from "../core/elements.js";
import { shortened, widthOf } from "../core/measure.js";
import { Edges } from "./edges.js";
import { shortForms } from "./groups.js";
import { LayerView } from "./layer.js";
import { moveFrom, placesOf } from "./passage.js";
import { plan } from "./plan.js";
import { ALL, around, fold, groupOf } from "./stages.js";
import { grouped } from "../core/numbers.js";
import { t } from "../core/texts.js";

/** @import { Activations, Layer, NetworkOptions, Picture, Plan } from "../types.d.ts" */

const phone = matchMedia("(max-width: 720px)");
const LABELS = 26; // CSS pixels right of the last layer
const FOOT = 9; // and below it, where it is shown from top to bottom: its name is higher than its units
const GROUP = 11; // CSS pixels of the font of a group's name

/** One network on the page. */
export class NetworkView {
  /** @type {Map<string, LayerView>} */
  layers = new Map(); // by name; those that are shown
  deep = false; // whether its layers do not fit the room
  edges = new Edges();
  /** @type {Plan | null} */
  plan = null;
  /** @type {WeakMap<Layer, Picture>} */
  #pictures = new WeakMap();
  #squeezed = false;
  #drawn = "";
  /** @type {[Activations, boolean] | null} */
  #last = null;
  #frame = 0;
  /** @type {number[] | null} */
  #size = null; // of the stage's frame; measured anew only when it changes, as that costs a layout
  #resized = new ResizeObserver(() => {
    this.#size = null;
    this.#again();
  });

  #cut = new IntersectionObserver((entries) => entries.forEach(hideCut), { threshold: [0.01, 0.5, 0.9, 0.99, 1] });

  /** @param {NetworkOptions} options */
  constructor(options) {
    this.options = options;
    this.title = element("h2");
    this.facts = element("span", { class: "muted facts" });
    this.head = element("div", { class: "net-head" }, this.title, this.facts);
    this.stage = element("div", { class: "stage" });
    const around = { class: "stage-scroll", role: "group", tabindex: "-1", "aria-label": t("draw.layers") };
    this.scroll = element("div", around, this.stage);
    this.answer = createAnswer(options.onClass);
    const body = element("div", { class: "net-body" }, this.scroll, this.answer.node);
    this.node = element("article", { class: "net" }, this.head, body);
    this.#resized.observe(this.scroll);
  }

  /** Shows the name of the model. */
  name(model) {
    this.node.dataset.model = model.name;
    say(this.title, model.name);
    const parameters = grouped(model.parameters);
    say(this.facts, t("draw.model-facts", { network: model.network, parameters }));
  }

  /**
   * Shows an answer of /v1/activations; makes elements only where the network is another.
   * @param {Activations} found
   * @param {boolean} empty whether there is nothing on the sheet.
   */
  show(found, empty) {
    this.#last = [found, empty];
    if (this.#structure(found) !== this.#drawn) this.#build(found);
    this.#fill(found.layers);
    this.answer.show(found, empty);
  }

  /** @returns {Activations | null} what is shown. */
  get shown() {
    return this.#last && this.#last[0];
  }

  /** @returns {number[] | undefined} the shape of a layer, be it in a folded group. */
  shapeOf(name) {
    return this.shown?.layers.find((layer) => layer.name === name)?.shape;
  }

  /** @returns {Picture | null} the values of a layer, be it in a folded group. */
  picture(name) {
    const layer = this.shown?.layers.find((one) => one.name === name);
    return layer ? this.#pictureOf(layer) : null;
  }

  /** @param {Layer} layer @returns {Picture} its values, unpacked once. */
  #pictureOf(layer) {
    const { low, high, data } = layer;
    const found = this.#pictures.get(layer) ?? { layer, bytes: decode(data), low, high };
    this.#pictures.set(layer, found);
    return found;
  }

  /** @returns {Layer | null} the layer that takes a layer's values, where there is one alone. */
  after(name) {
    const found = this.shown?.layers.filter(({ inputs }) => inputs.includes(name)) ?? [];
    return found.length === 1 ? found[0] : null;
  }

  /** Opens the group that a layer is folded into. */
  reveal(name) {
    if (this.shown && this.deep && !this.layers.has(name)) this.options.onOpen(groupOf(this.shown.layers, name));
  }

  /** Shows the groups as open as the options say. */
  refold() {
    if (!this.#last || this.#structure(this.#last[0]) === this.#drawn) return;
    const before = placesOf(this.stage);
    this.show(...this.#last);
    moveFrom(this.stage, before);
    this.options.onRebuilt();
  }

  /**
   * Shows other values in the places of the maps, such as gradients; null for the maps again.
   * @param {{name: string, low: number, high: number, data: string}[] | null} layers
   */
  overlay(layers) {
    const before = this.node.classList.contains("backward");
    this.node.classList.toggle("backward", layers !== null);
    if (!layers) return before && this.#last && this.#fill(this.#last[0].layers);
    const given = new Map(layers.map((layer) => [layer.name, layer]));
    for (const [name, view] of this.layers) {
      const found = given.get(name);
      view.node.classList.toggle("unknown", !found);
      if (!found) continue;
      const { low, high, data } = found;
      view.show({ bytes: decode(data), low, high, signed: true }, this.options.theme.dark);
    }
  }

  #fill(layers) {
    for (const layer of layers) {
      const view = this.layers.get(layer.name);
      view?.node.classList.remove("unknown");
      view?.show(this.#pictureOf(layer), this.options.theme.dark);
    }
  }

  repaint() {
    this.layers.forEach((layer) => layer.repaint(this.options.theme.dark));
  }

  clearMarks() {
    this.edges.clear();
    this.layers.forEach((layer) => layer.clearMarks());
  }

  off() {
    cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
    this.#cut.disconnect();
  }

  /** CSS pixels that there are. */
  #room() {
    const [clientWidth, clientHeight] = (this.#size ??= [this.scroll.clientWidth, this.scroll.clientHeight]);
    const down = phone.matches;
    const width = Math.max(280, clientWidth - (down ? 0 : LABELS));
    return { width, height: Math.max(80, clientHeight - (down ? FOOT : 0)), down, whole: this.options.whole() };
  }

  /** @param {Activations} found */
  #build(found) {
    const { on, onKernels, onKind, onOpen } = this.options;
    const { classes } = found;
    this.#drawn = this.#structure(found);
    const given = this.#foldedOf(found.layers);
    const made = this.#plan(given, { squeeze: this.#squeezed });
    this.plan = made;
    const views = given.map((layer, at) => {
      const labels = at === given.length - 1 ? classes : null;
      const place = /** @type {any} */ (made.places.get(layer.name));
      const own = made.own.get(layer.name) ?? layer.stage?.key ?? layer.name;
      return new LayerView({ layer, own, place, plan: made, labels, on, onKernels, onKind, onOpen });
    });
    this.layers = new Map(views.map((view) => [view.layer.name, view]));
    this.stage.style[made.down ? "height" : "width"] = `${made.length + (made.down ? FOOT : LABELS)}px`;
    this.stage.style[made.down ? "width" : "height"] = "100%";
    this.stage.classList.toggle("down", made.down);
    this.stage.classList.toggle("low", made.low);
    const names = made.groups.map((group) => groupName(group, made.low, () => onOpen(around(group.name))));
    this.stage.replaceChildren(...names, ...views.map((view) => view.node), this.edges.node);
    this.edges.show(made, this.layers);
    this.#cut.disconnect();
    for (const head of [...views.map((view) => view.head), ...names.map((one) => one.children[0])]) this.#cut.observe(head);
  }

  #plan(layers, more = {}) {
    const group = (name) => widthOf(name, GROUP) + 8;
    return plan(layers, { ...this.#room(), caption: captionWidths, group, ...more });
  }

  /** The layers to show: all of them where they fit, else groups of them. */
  #foldedOf(layers) {
    this.#squeezed = false;
    this.deep = this.#plan(layers, { whole: false }).scrolled;
    this.node.classList.toggle("deep", this.deep);
    if (!this.deep) return layers;
    const open = this.options.open();
    const folded = fold(layers, open);
    const narrow = phone.matches && open !== null; // there are no names of groups, to close them
    this.#squeezed = open !== ALL && (narrow || this.#plan(folded, { whole: false }).scrolled);
    return this.#squeezed ? fold(layers, open, true) : folded;
  }

  #again() {
    if (this.#frame || !this.#last) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#last || this.#structure(this.#last[0]) === this.#drawn) return;
      this.show(...this.#last);
      this.options.onRebuilt();
    });
  }

  /** What the elements of a network hang on, as text. */
  #structure({ layers, classes }) {
    const told = ({ name, kind, detail, shape, shown }) => [name, kind, detail, shape, shown];
    return JSON.stringify([layers.map(told), classes, this.#room(), this.options.open()]);
  }
}

/** A caption that the edge of the room cuts is not shown: half a number is another. */
function hideCut({ target, intersectionRatio }) {
  target.classList.toggle("cut", intersectionRatio > 0 && intersectionRatio < 0.99);
}

/** The name of the layers below it, over them all; of an open group it closes it. */
function groupName({ name, left, right, open }, low, onclick) {
  const room = right - left - (open ? 18 : 4);
  const forms = [...(low ? [] : [name]), ...shortForms(name)];
  const text = forms.find((form) => widthOf(form, GROUP) <= room) ?? shortened(name, GROUP, room);
  const given = { type: "button", class: "group-name", title: t("stages.close", { name }), "data-close": name, "aria-expanded": "true", onclick };
  const called = open ? element("button", given, `${text} \u00d7`) : element("span", { title: name }, text);
  const node = element("p", { class: "group" }, called);
  Object.assign(node.style, { left: `${left}px`, width: `${right - left}px` });
  return node;
}
