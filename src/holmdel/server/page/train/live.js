/** A network in training: an image, its probabilities, kernels and feature maps. */

import { decode } from "../core/base64.js";
import { createBars } from "../core/bars.js";
import { button, element, say } from "../core/elements.js";
import { drawImage } from "../core/maps.js";
import { kindName } from "../network/names.js";
import { geometry, kernelGeometry } from "../network/layout.js";
import { createPainter } from "../network/paint.js";
import { t } from "../core/texts.js";

/** @import { LiveView } from "../types.d.ts" */

const ROOM = 92; // CSS pixels of height for a layer's maps
const LAYERS = 6; // of maps, from the first on
const PLANES = 6; // of a kernel

/** The panel. It gets what train-activations.js fetched. */
export class Live {
  /** @type {LiveView | null} */
  #view = null;
  #shape = "";
  #painters = [];
  #root;
  #resized = new ResizeObserver(() => this.#fit());
  #parts;
  #bars;

  /** @param {{other: () => void, mine: () => void}} on */
  constructor(root, on) {
    this.#parts = {
      of: element("span", { class: "muted number", id: "live-of" }),
      none: element("p", { class: "muted", id: "live-none" }, t("train.live.none")),
      picture: element("canvas", {
        class: "map", id: "live-picture", role: "img", "aria-label": t("train.live.picture"),
      }),
      label: element("figcaption", { id: "live-label" }),
      bars: element("div", { id: "live-bars" }),
      kernels: element("div", { class: "strips", id: "live-kernels" }),
      maps: element("div", { class: "strips", id: "live-maps" }),
    };
    const { of, none, picture, label, bars, kernels, maps } = this.#parts;
    const choose = element("div", { class: "row" },
      button(t("train.live.other"), { class: "small", id: "live-other", onclick: on.other }),
      button(t("train.live.mine"), { class: "small", id: "live-mine", onclick: on.mine }));
    this.#parts.mine = choose.lastChild;
    this.#parts.body = element("div", { class: "live-body" },
      element("div", { class: "live-picture" }, element("figure", {}, picture, label)), bars, kernels, maps);
    root.append(element("div", { class: "head" }, element("h2", {}, t("train.live")), choose, of), none, this.#parts.body);
    this.#root = root;
    this.#resized.observe(root);
    this.#bars = createBars(bars);
    this.clear();
  }

  /** Shows that there is nothing yet. */
  clear() {
    this.#view = null;
    this.#parts.body.hidden = true;
    this.#parts.none.hidden = false;
    say(this.#parts.of, "");
  }

  /**
   * Shows activations and kernels.
   * @param {LiveView} view
   * @param {{dark: boolean, drawn: boolean}} now `drawn`: whether there is a drawing to take
   */
  show(view, now) {
    this.#view = view;
    this.#parts.body.hidden = false;
    this.#parts.none.hidden = true;
    this.#parts.mine.hidden = !now.drawn || view.label === null;
    const { training, label, seen } = view;
    say(this.#parts.of, t("train.live.of", { id: training.id, count: training.weights }));
    say(this.#parts.label, t(label === null ? "train.live.drawing" : "train.live.sample", { label }));
    const bars = seen.classes.map((name, i) => ({ label: name, probability: seen.probabilities[i] }));
    this.#bars.update(bars);
    this.#build(view);
    this.paint(now.dark);
  }

  /** @param {boolean} dark whether the page is dark */
  paint(dark) {
    if (!this.#view) return;
    const { seen, kernels } = this.#view;
    drawImage(this.#parts.picture, decode(seen.seen.data), seen.seen.shape);
    [...mapsOf(seen), ...kernels].forEach((layer, i) => {
      const bytes = "name" in layer ? decode(layer.data) : firstPlanes(layer);
      this.#painters[i]({ bytes, low: layer.low, high: layer.high }, dark);
    });
  }

  /** Leaves out the maps that would need a scroll bar, where the tab is as high as the window. */
  #fit() {
    const strips = /** @type {HTMLElement[]} */ ([...this.#parts.kernels.children, ...this.#parts.maps.children]);
    for (const strip of strips) strip.hidden = false;
    if (getComputedStyle(this.#root).overflowY !== "hidden") return;
    const room = this.#root.getBoundingClientRect().bottom - 8;
    const first = strips.findIndex((strip) => strip.getBoundingClientRect().bottom > room);
    if (first >= 0) for (const strip of strips.slice(first)) strip.hidden = true;
  }

  /** Makes canvases where the layers are others; else the painters of the old ones go on. */
  #build({ seen, kernels }) {
    const maps = mapsOf(seen);
    const layers = [...maps, ...kernels];
    const shape = JSON.stringify(layers.map((one) => ["name" in one ? `${one.name} ${one.kind}` : one.layer, one.shape, one.shown]));
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#painters = [];
    this.#parts.maps.replaceChildren(...maps.map(({ name, kind, shape: size, shown }) => {
      const title = t("train.live.maps", { layer: name });
      return this.#strip(name, title, `${name} \u00b7 ${kindName(kind)}`, geometry(size, shown, ROOM));
    }));
    this.#parts.kernels.replaceChildren(...kernels.map(({ layer, shape: size, shown: [outs, ins] }) => {
      const title = t("train.live.kernels", { layer });
      const shown = [outs, Math.min(ins, PLANES)];
      return this.#strip(layer, title, title, kernelGeometry(size, shown, ins > 1 ? 14 : 32));
    }));
    this.#fit();
  }

  #strip(layer, title, caption, form) {
    const canvas = element("canvas", { class: "map", role: "img", "aria-label": title });
    this.#painters.push(createPainter(canvas, form));
    return element("figure", { "data-layer": layer, tabindex: "0", role: "group", "aria-label": caption }, element("figcaption", {}, caption), canvas);
  }
}

function mapsOf(seen) {
  return seen.layers.filter((layer) => layer.name !== "input" && layer.shape.length === 3).slice(0, LAYERS);
}

/** Returns the bytes of kernels, of each only what it makes of the first maps. */
function firstPlanes({ data, shape: [, , height, width], shown: [outs, ins] }) {
  const [whole, size] = [ins, Math.min(ins, PLANES)].map((planes) => planes * height * width);
  const bytes = decode(data);
  const kept = new Uint8Array(outs * size);
  for (let out = 0; out < outs; out++) {
    kept.set(bytes.subarray(out * whole, out * whole + size), out * size);
  }
  return kept;
}
