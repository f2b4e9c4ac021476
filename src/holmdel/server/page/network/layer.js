/** One layer on the page: its name, what it is, and its maps. */

import { element } from "../core/elements.js";
import { KINDS, createBoxes } from "./boxes.js";
import { detailName, kindName } from "./names.js";
import { createPainter } from "./paint.js";
import { listen } from "./pointer.js";
import { language, t } from "../core/texts.js";

/** @import { LayerOptions, Values } from "../types.d.ts" */

/** A layer on the page. */
export class LayerView {
  /** @type {Values | null} */
  values = null;
  #waits = false;
  #visible = true;

  /** @param {LayerOptions} options */
  constructor({ layer, place, down, labels, on, onKernels, onKind }) {
    this.layer = layer;
    this.picture = layer.name === "input";
    this.geometry = place.geometry;
    this.canvas = mapsOf(layer, this.geometry);
    const frame = element("div", { class: "maps-frame" }, this.canvas);
    const brief = labels?.every((text) => text.length < 4) && !down; // longer ones are in the answer only
    if (labels && brief && this.geometry.shown === labels.length) frame.append(labelList(labels, this.geometry));
    const head = caption(layer, this.geometry, { onKernels, onKind });
    this.node = nodeOf(layer, place, head, frame, down);
    this.boxes = createBoxes(frame, this.geometry);
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
    const plain = this.picture && this.values && !this.values.signed;
    return plain && this.values ? { ...this.values, low: 0, high: 255 } : this.values;
  }

  repaint(dark) {
    if (this.shownValues) this.painter(this.shownValues, dark);
  }

  clearMarks() {
    for (const kind of KINDS) this.boxes.mark(kind, [], null);
    this.boxes.veil(null);
  }

  #onLook(visible, dark) {
    this.#visible = visible;
    if (visible && this.#waits) this.show(this.values, dark);
  }
}

function nodeOf(layer, { x, y, width, slot, alone, height }, head, frame, down) {
  const given = { class: "layer", "data-layer": layer.name, "data-kind": layer.kind };
  const node = element("figure", given, head, frame);
  Object.assign(frame.style, { left: `${x}px`, top: `${y}px` });
  const middle = x + width / 2;
  const most = Math.max(48, Math.min(150, Math.max(width, slot.extent) + slot.between - 8));
  const place = down
    ? { left: "0", top: `${y + height / 2}px`, transform: "translateY(-50%)" }
    : { left: `${middle}px`, top: alone ? "0" : `${y - 4}px`, width: `${most}px`, transform: `translate(-50%, ${alone ? 0 : -100}%)` };
  Object.assign(head.style, place);
  head.classList.toggle("brief", !alone || down);
  head.classList.toggle("narrow", most < 62);
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

function caption(layer, { shown }, { onKernels, onKind }) {
  const { name, kind, shape } = layer;
  const given = { type: "button", class: "kind", title: t("kind.open", { kind: kindName(kind) }), onclick: () => onKind(layer) };
  const words = language() === "zh" ? kindName(kind) : kind;
  const parts = [element("b", { title: name }, tail(name)), element("button", given, words)];
  if (layer.kernels) {
    const onclick = () => onKernels(name);
    parts.push(element("button", { type: "button", class: "link", "data-kernels": name, onclick }, t("draw.kernels")));
  }
  const size = element("span", { class: "number shape", title: [shape.join("\u00d7"), detailName(layer.detail)].filter(Boolean).join(" \u00b7 ") }, shape.join("\u00d7"));
  parts.push(size);
  if (shown < shape[0]) {
    const some = t("draw.some", { shown, all: shape[0] });
    size.title = some;
    size.textContent = `${shown}/${shape.join("\u00d7")}`;
  }
  return element("figcaption", {}, ...parts);
}

/** Returns the end of a long name. */
function tail(name) {
  const parts = name.split(".");
  return name.length > 12 && parts.length > 1 ? parts.slice(-2).join(".").slice(-14) : name;
}

function label(layer) {
  const [count, height, width] = layer.shape;
  const { name } = layer;
  const kind = kindName(layer.kind);
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
