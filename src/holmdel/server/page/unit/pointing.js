/** Which unit is explained: under the pointer, by the keys, or pinned. */

import { fieldOf } from "../network/boxes.js";
import { createLatestOnly } from "../core/latest-only.js";
import { placeText } from "./grids.js";

/** @import { LayerView } from "../network/layer.js" */
/** @import { NetworkView } from "../network/view.js" */
/** @import { Place, PointerHandlers, PointingOptions, Unit } from "../types.d.ts" */

/** What follows the pointer over the maps of the networks; a unit is {net, layer, unit}. */
export class Pointing {
  /** @type {Place | null} */
  #hovered = null;
  /** @type {Place | null} */
  #pinned = null;
  /** @type {string | null} */
  #text = null; // of the one that is hovered
  #control = new AbortController();
  #pump = createLatestOnly((wanted) => this.#ask(wanted));

  /** @param {PointingOptions} options */
  constructor({ app, nets, picture, panel, seen }) {
    this.app = app;
    this.nets = nets;
    this.picture = picture;
    this.panel = panel;
    this.seen = seen;
  }

  /** @returns {PointerHandlers} for the network of this number. */
  on(net) {
    const named = (layer, unit) => ({ net, layer: layer.layer.name, unit });
    return {
      dark: () => this.app.theme.dark,
      hover: (layer, unit, spoken = false) => this.#hover({ ...named(layer, unit), spoken }),
      leave: () => this.#hover(null),
      pin: (layer, unit) => {
        this.#toggle(named(layer, unit));
        layer.node.scrollIntoView({ block: "nearest", inline: "nearest" }); // over a phone's panel
      },
      current: (layer) => {
        const here = (one) => one?.net === net && one.layer === layer.layer.name;
        return [this.#hovered, this.#pinned].find(here)?.unit ?? null;
      },
      step: (layer, by) => step(this.nets()[net].view.layers, layer, by),
    };
  }

  /** Pins the unit that is looked at, or lets it go. */
  pinCurrent() {
    if (this.#current) this.#pin(this.#current === this.#pinned ? null : this.#current);
  }

  unpin() {
    this.#pin(null);
  }

  /** Takes over the unit that the URL names, once the layers are known. */
  read() {
    const text = this.app.state.get("unit");
    if (text === (this.#pinned && textOf(this.#pinned))) return;
    this.#pinned = unitOf(text, this.nets());
    this.#show();
  }

  /** Shows the unit anew: the picture or the network is another. */
  refresh() {
    if (this.#current) this.#show();
  }

  off() {
    this.#control.abort();
  }

  get #current() {
    return this.#hovered ?? this.#pinned;
  }

  #hover(wanted) {
    const text = wanted && textOf(wanted);
    if (text === this.#text) return;
    this.#text = text;
    this.#hovered = wanted;
    this.#show();
  }

  #toggle(wanted) {
    if (wanted.layer === "input") return;
    const again = this.#pinned && textOf(this.#pinned) === textOf(wanted);
    this.#pin(again ? null : wanted);
  }

  #pin(wanted) {
    this.#pinned = wanted;
    this.#hovered = this.#text = null;
    this.app.state.set({ unit: wanted && textOf(wanted) });
    this.#show();
  }

  #show() {
    const wanted = this.#current;
    this.nets().forEach(({ view }) => view.clearMarks());
    this.seen.mark(null);
    if (!wanted || !this.#mark(wanted) || wanted.layer === "input") this.panel.hide();
    else this.#pump.ask(wanted);
  }

  /** @param {Place} wanted @returns {boolean} whether it is on the page. */
  #mark({ net, layer: name, unit }) {
    const view = this.nets()[net]?.view;
    const layer = view?.layers.get(name);
    if (layer) markUnit(view, layer, unit, this.seen);
    return layer !== undefined;
  }

  /** @param {Place} wanted */
  async #ask(wanted) {
    const net = this.nets()[wanted.net];
    const { app } = this;
    if (!net || this.#current !== wanted) return;
    try {
      const params = { model: net.model, layer: wanted.layer, unit: wanted.unit.join(",") };
      const answer = await app.api.image("/v1/unit", params, this.picture(), this.#control);
      if (this.#current !== wanted || this.#control.signal.aborted) return;
      this.panel.show(answer, net.view.layers, wanted === this.#pinned);
      markWindow(net.view, answer);
      const value = answer.value?.toPrecision(4);
      if (wanted.spoken) app.announce(`${placeText(answer.unit)}: ${value}`);
    } catch (error) {
      app.fail(error);
    }
  }
}

/** @param {NetworkView} view @param {LayerView} layer @param {number[]} unit */
function markUnit(view, layer, unit, seen) {
  const [map, row, column] = unit.length === 3 ? unit : [unit[0], 0, 0];
  const own = { top: row, left: column, height: 1, width: 1 };
  layer.mark("unit", [map], own);
  const field = layer.picture ? null : fieldOf(layer.layer.receptive_field, unit);
  const input = view.layers.get("input");
  if (field) input?.mark("field", allMaps(input), field);
  seen.mark(layer.picture ? own : field);
}

/**
 * Marks what a unit sees in the layer before, and in the input where only the answer says.
 * @param {NetworkView} view
 * @param {Unit} unit
 */
function markWindow(view, { before, field, layer: name }) {
  const layer = view.layers.get(before.layer);
  if (!layer || name === before.layer) return;
  const { geometry } = layer;
  const vector = layer.layer.shape.length === 1;
  if (before.window) layer.mark("window", before.channels, before.window);
  else if (vector && before.channels.length < geometry.shown) {
    layer.mark("window", before.channels, { top: 0, left: 0, height: 1, width: 1 });
  } else {
    const { height, width } = geometry;
    layer.mark("window", allMaps(layer), { top: 0, left: 0, height, width });
  }
  const input = view.layers.get("input");
  if (field) input?.mark("field", allMaps(input), field);
}

function allMaps({ geometry }) {
  return Array.from({ length: geometry.shown }, (_, map) => map);
}

function step(layers, layer, by) {
  const all = [...layers.values()];
  const next = all[all.indexOf(layer) + by];
  next?.canvas.focus({ focusVisible: true });
  next?.node.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Returns a unit as the URL has it: `c1.2.3.4`, `2:f6.5` for one of the compared model. */
function textOf({ net, layer, unit }) {
  return `${net ? `${net + 1}:` : ""}${layer}.${unit.join(".")}`;
}

function unitOf(text, nets) {
  const found = /^(?:(\d):)?(.+)$/.exec(text ?? "");
  const net = found ? Number(found[1] ?? 1) - 1 : 0;
  const layers = nets[net]?.view.layers;
  if (!found || !layers) return null;
  const parts = found[2].split(".");
  for (const count of [3, 1]) {
    const layer = parts.slice(0, -count).join(".");
    const unit = parts.slice(-count).map(Number);
    const shape = layers.get(layer)?.layer.shape;
    const fits = shape?.length === count && unit.every((at, i) => at >= 0 && at < shape[i]);
    if (fits) return { net, layer, unit };
  }
  return null;
}
