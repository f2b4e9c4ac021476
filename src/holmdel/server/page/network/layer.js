/** One layer on the page: its name, what it is, and its maps. */

import { element } from "../core/elements.js";
import { KINDS, createBoxes } from "./boxes.js";
import { caption } from "./caption.js";
import { kindName } from "./names.js";
import { createPainter } from "./paint.js";
import { listen } from "./pointer.js";
import { t } from "../core/texts.js";

/** @import { LayerOptions, Values } from "../types.d.ts" */

/** A layer on the page. */
export class LayerView {
  /** @type {Values | null} */
  values = null;
  #waits = false;
  #visible = true;

  /** @param {LayerOptions} options */
  constructor({ layer, own, place, plan, labels, on, onKernels, onKind, onOpen }) {
    const { down } = plan;
    this.layer = layer;
    this.picture = layer.name === "input";
    this.geometry = place.geometry;
    this.canvas = mapsOf(layer, this.geometry);
    const frame = element("div", { class: "maps-frame" }, this.canvas);
    const brief = labels?.every((text) => text.length < 4) && !down; // longer ones are in the answer only
    if (labels && brief && this.geometry.shown === labels.length) frame.append(labelList(labels, this.geometry));
    const room = down ? plan.head - 4 : roomOf(place);
    this.head = caption({ layer, own, shown: this.geometry.shown, room, brief: !place.alone || down, onKernels, onKind, onOpen });
    this.node = nodeOf(layer, place, this.head, frame, plan);
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

/** CSS pixels that a caption may take: of its column and what is between two. */
function roomOf({ width, slot }) {
  return Math.max(40, Math.min(150, Math.max(width, slot.extent) + slot.between - 8));
}

function nodeOf(layer, place, head, frame, { down, head: above, top }) {
  const { x, y, width, alone, height } = place;
  const given = { class: layer.stage ? "layer folded" : "layer", "data-layer": layer.name, "data-kind": layer.kind };
  const node = element("figure", given, head, frame);
  Object.assign(frame.style, { left: `${x}px`, top: `${y}px` });
  const lines = down
    ? { left: "0", top: `${y + height / 2}px`, width: `${above - 4}px`, transform: "translateY(-50%)" }
    : { left: `${Math.max(x + width / 2, Number.parseFloat(head.style.width) / 2)}px`, top: alone ? `${top}px` : `${y - 4}px`, transform: `translate(-50%, ${alone ? 0 : -100}%)` };
  Object.assign(head.style, lines);
  head.classList.toggle("brief", !alone || down);
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

function label(layer) {
  const [count, height, width] = layer.shape;
  const name = layer.stage ? t("stages.last", { name: layer.stage.key, layer: layer.name }) : layer.name;
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
