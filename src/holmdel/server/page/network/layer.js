/** One layer on the page: its name, what it is, and its maps. */

import { element } from "../core/elements.js";
import { geometry as geometryOf } from "./layout.js";
import { KINDS, createBoxes } from "./boxes.js";
import { createPainter } from "./paint.js";
import { listen } from "./pointer.js";
import { t } from "../core/texts.js";

/** @import { LayerOptions, Values } from "../types.d.ts" */

const LEAST_CAPTION = 88; // CSS pixels

/** A layer on the page. */
export class LayerView {
  /** @type {Values | null} */
  values = null;
  #waits = false;
  #visible = true;

  /** @param {LayerOptions} options */
  constructor({ layer, place, room, labels, on, onKernels }) {
    this.layer = layer;
    this.picture = layer.name === "input";
    const form = { crowded: !place.alone, picture: this.picture };
    this.geometry = geometryOf(layer.shape, layer.shown, room, form);
    this.canvas = mapsOf(layer, this.geometry);
    const frame = element("div", { class: "maps-frame" }, this.canvas);
    const brief = labels?.every((text) => text.length < 4); // longer ones are in the answer only
    if (labels && brief && layer.shown === labels.length) frame.append(labelList(labels, this.geometry));
    this.node = nodeOf(layer, place, caption(layer, this.geometry, onKernels), frame);
    this.mark = createBoxes(frame, this.geometry);
    this.painter = createPainter(this.canvas, this.geometry);
    const look = (entries) => this.#onLook(entries.at(-1).isIntersecting, on.dark());
    new IntersectionObserver(look, { rootMargin: "200px" }).observe(this.canvas);
    listen(this, on);
  }

  /** Shows values; a layer that is out of sight is painted when it comes into it. */
  show(values, dark) {
    this.values = values;
    this.#waits = !this.#visible;
    if (this.#visible) this.repaint(dark);
  }

  /** @returns {Values|null} the values as they are painted. */
  get shownValues() {
    return this.picture && this.values ? { ...this.values, low: 0, high: 255 } : this.values;
  }

  repaint(dark) {
    if (this.shownValues) this.painter(this.shownValues, dark);
  }

  clearMarks() {
    for (const kind of KINDS) this.mark(kind, [], null);
  }

  #onLook(visible, dark) {
    this.#visible = visible;
    if (visible && this.#waits) this.show(this.values, dark);
  }
}

function nodeOf(layer, place, head, frame) {
  const given = { class: "layer", "data-layer": layer.name, "data-kind": layer.kind };
  const node = element("figure", given, head, frame);
  node.classList.toggle("alone", place.alone);
  node.style.setProperty("--column", String(place.column + 1));
  node.style.setProperty("--lane", String(place.lane + 1));
  return node;
}

function mapsOf(layer, { rows, size, gap, width, height }) {
  return element("canvas", {
    class: "maps",
    tabindex: "0",
    role: "application",
    "data-layer": layer.name,
    "aria-label": label(layer),
    "aria-describedby": "maps-help",
    "data-rows": rows,
    "data-size": size,
    "data-gap": gap,
    "data-map-width": width,
    "data-map-height": height,
  });
}

function caption(layer, { canvasWidth, size }, onKernels) {
  const [block, own] = parted(layer.name);
  const parts = [element("b", { title: layer.name }, own), element("span", {}, layer.kind)];
  if (block) parts.unshift(element("span", { class: "muted" }, block));
  if (layer.detail) parts.push(element("span", { class: "muted" }, layer.detail));
  parts.push(element("span", { class: "number" }, layer.shape.join("\u00d7")));
  const hidden = layer.shape[0] - layer.shown;
  if (hidden > 0) {
    const { shown, shape } = layer;
    parts.push(element("span", { class: "badge" }, t("draw.some", { shown, all: shape[0] })));
  }
  if (layer.kernels) {
    const onclick = () => onKernels(layer.name);
    const given = { type: "button", class: "link", "data-kernels": layer.name, onclick };
    parts.push(element("button", given, t("draw.kernels")));
  }
  const made = element("figcaption", {}, ...parts);
  made.style.maxWidth = `${Math.max(LEAST_CAPTION, canvasWidth * size)}px`;
  return made;
}

/** Returns a long name's block and the rest of it. */
function parted(name) {
  const dot = name.indexOf(".");
  return name.length > 16 && dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : ["", name];
}

function label(layer) {
  const [count, height, width] = layer.shape;
  const { name, kind } = layer;
  return layer.shape.length === 3
    ? t("draw.maps-label", { name, kind, count, height, width })
    : t("draw.units-label", { name, kind, count });
}

function labelList(labels, { size }) {
  const list = element("ol", { class: "unit-labels", "aria-hidden": "true" });
  list.style.lineHeight = `${size}px`;
  list.append(...labels.map((text) => element("li", {}, text)));
  return list;
}
