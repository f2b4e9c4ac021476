/** Which unit is explained: under the pointer, by the keys, or pinned. */

import { createLatestOnly } from "../core/latest-only.js";
import { allMaps, boxOf, follow, followSum } from "../network/follow.js";
import { placeText } from "../network/names.js";
import { told } from "./digits.js";
import { nextUnit } from "./slide.js";
import { partsOf } from "./sum.js";
import { tourOf } from "./tour.js";

/** @import { NetworkView } from "../network/view.js" */
/** @import { Place, PointerHandlers, PointingOptions, Unit } from "../types.d.ts" */

const SOFTMAX = "softmax";

/** What follows the pointer over the maps of the networks; a unit is {net, layer, unit}. */
export class Pointing {
  /** @type {Place | null} */
  #hovered = null;
  /** @type {Place | null} */
  #pinned = null;
  /** @type {string | null} */
  #text = null; // of the one that is hovered
  #moving = false; // whether the one that is pinned comes before one's eyes
  #passage = { end: () => {}, until: 0 }; // what moves, and until when
  #control = new AbortController();
  #pump = createLatestOnly((wanted) => this.#ask(wanted));

  /** @param {PointingOptions} options */
  constructor({ app, nets, picture, panel, seen, explained }) {
    this.app = app;
    this.nets = nets;
    this.picture = picture;
    this.panel = panel;
    this.seen = seen;
    this.explained = explained;
  }

  /** @returns {PointerHandlers} for the network of this number. */
  on(net) {
    const named = (layer, unit) => ({ net, layer: layer.layer.name, unit });
    return {
      dark: () => this.app.theme.dark,
      hover: (layer, unit, spoken = false) => !this.panel().slide.playing && this.#hover({ ...named(layer, unit), spoken }),
      leave: () => this.#hover(null),
      pin: (layer, unit) => this.#toggle(named(layer, unit)),
      current: (layer) => {
        const here = (one) => one?.net === net && one.layer === layer.layer.name;
        return [this.#hovered, this.#pinned].find(here)?.unit ?? null;
      },
      step: (layer, by) => step(this.nets()[net].view.layers, layer, by),
    };
  }

  /** Pins the unit that is looked at, or lets it go. */
  pinCurrent() {
    if (this.#current) this.pin(this.#current === this.#pinned ? null : this.#current);
  }

  unpin() {
    this.pin(null);
  }

  /** Explains one of the units to begin with. @param {keyof import("./tour.js").Tour} stop */
  visit(stop) {
    const { view } = this.nets()[0];
    if (!view.shown) return;
    const place = tourOf(view.shown.layers, view.shown.probabilities, (name) => view.picture(name))[stop];
    if (!place) return;
    view.reveal(place.layer);
    this.pin({ net: 0, ...place });
  }

  /** Shows how the probability of a class comes about. */
  pinClass(net, index) {
    this.#toggle({ net, layer: SOFTMAX, unit: [index] });
  }

  /**
   * Goes to another unit of the same map.
   * @param {number} by 1 for the next
   * @returns {Promise<boolean>} whether there are more behind it.
   */
  async move(by) {
    const now = this.#current;
    const shape = now && this.#shapeOf(now);
    if (!now || !shape) return false;
    const unit = nextUnit(now.unit, shape, by);
    this.#pinned = { ...now, unit };
    this.#hovered = this.#text = null;
    this.app.state.set({ unit: textOf(this.#pinned) });
    await this.#show();
    return unit.slice(-2).some((at, i) => at < shape.slice(-2)[i] - 1);
  }

  /** Takes over the unit that the URL names, once the layers are known. */
  read() {
    const text = this.app.state.get("unit");
    if (text === (this.#pinned && textOf(this.#pinned))) return;
    this.#pinned = unitOf(text, this.nets());
    if (this.#pinned) this.nets()[this.#pinned.net].view.reveal(this.#pinned.layer);
    this.#show();
  }

  /** Shows the unit anew: the picture or the network is another. */
  refresh() {
    if (this.#current) this.#show();
  }

  off() {
    this.#passage.end();
    this.panel().slide.stop();
    this.#control.abort();
  }

  get #current() {
    return this.#hovered ?? this.#pinned;
  }

  #shapeOf({ net, layer }) {
    const shown = this.nets()[net]?.view;
    if (layer === SOFTMAX) return [shown?.shown?.classes.length ?? 1];
    return shown?.shapeOf(layer);
  }

  /** While a pinned unit comes before one's eyes, a hand that is not quite still changes nothing. */
  #hover(wanted) {
    const text = wanted && textOf(wanted);
    if (text === this.#text || (!wanted?.spoken && performance.now() < this.#passage.until)) return;
    this.#text = text;
    const before = this.#current;
    this.#hovered = this.#pinned && text === textOf(this.#pinned) ? null : wanted;
    if (this.#current !== before) this.#show();
  }

  /** @param {NetworkView} view @param {Place} wanted @param {Unit | null} answer */
  async #play(view, wanted, answer) {
    await this.panel().stories.comeIntoSight(view, this.panel().node, answer ?? wanted);
    if (this.#pinned !== wanted || this.#hovered || this.#control.signal.aborted) return;
    const { end, time } = this.panel().stories.passage(view, this.panel(), answer);
    this.#passage = { end, until: performance.now() + time };
  }

  #toggle(wanted) {
    if (wanted.layer === "input") return;
    const again = this.#pinned && textOf(this.#pinned) === textOf(wanted);
    this.pin(again ? null : wanted);
  }

  /** @param {Place | null} wanted to be explained from now on. */
  pin(wanted) {
    this.#pinned = wanted;
    this.#hovered = this.#text = null;
    this.#passage.until = 0;
    this.#moving = wanted !== null;
    this.app.state.set({ unit: wanted && textOf(wanted) });
    this.#show();
  }

  #show() {
    const wanted = this.#current;
    this.#passage.end();
    this.nets().forEach(({ view }) => {
      view.clearMarks();
      view.answer.mark(null);
    });
    this.seen.mark(null);
    if (!wanted || !this.#mark(wanted) || wanted.layer === "input") return this.panel().hide();
    if (wanted.layer === SOFTMAX) return this.#showClass(wanted);
    return this.#pump.ask(wanted);
  }

  /** @param {Place} wanted @returns {boolean} whether it is on the page. */
  #mark({ net, layer, unit }) {
    const view = this.nets()[net]?.view;
    if (layer === SOFTMAX) return Boolean(view?.shown);
    if (!view?.layers.has(layer)) return false;
    this.seen.mark(follow(view, layer, unit));
    return true;
  }

  async #showClass(/** @type {Place} */ wanted) {
    await this.panel().load();
    if (this.#current !== wanted) return;
    const { view } = this.nets()[wanted.net];
    const [index] = wanted.unit;
    const { shown } = view;
    const last = [...view.layers.values()].pop();
    if (!shown || !last || index >= shown.classes.length) return;
    view.answer.mark(index);
    last.boxes.mark("window", allMaps(last), boxOf([0]));
    last.boxes.mark("unit", [index], boxOf([index]));
    this.panel().showSoftmax(shown, index, wanted === this.#pinned);
  }

  /** @param {Place} wanted */
  async #ask(wanted) {
    const net = this.nets()[wanted.net];
    if (!net || this.#current !== wanted) return;
    try {
      const [shown] = await Promise.all([this.explained(net, wanted, this.#control), this.panel().load()]);
      if (this.#current !== wanted || this.#control.signal.aborted) return;
      const answer = shown(wanted === this.#pinned);
      if (this.#moving && wanted === this.#pinned) this.#play(net.view, wanted, answer ?? null);
      this.#moving = false;
    } catch (error) {
      this.app.fail(error);
    }
  }

  /**
   * Asks how a unit's value comes about.
   * @returns {Promise<(pinned: boolean) => Unit>} shows it.
   */
  async forward(net, wanted, control) {
    const params = { model: net.model, layer: wanted.layer, unit: wanted.unit.join(",") };
    const answer = await this.app.api.image("/v1/unit", params, this.picture(), control);
    return (pinned) => {
      this.panel().show(answer, net.view, pinned);
      followSum(net.view, answer, partsOf(answer));
      if (wanted.spoken) this.app.announce(`${placeText(answer.unit)}: ${answer.value === null ? "" : told(answer.value)}`);
      return answer;
    };
  }
}

function step(layers, layer, by) {
  const all = [...layers.values()];
  const next = all[all.indexOf(layer) + by];
  next?.canvas.focus({ focusVisible: true });
}

/** Returns a unit as the URL has it: `c1.2.3.4`, `2:f6.5` for one of the compared model. */
function textOf({ net, layer, unit }) {
  return `${net ? `${net + 1}:` : ""}${layer}.${unit.join(".")}`;
}

function unitOf(text, nets) {
  const found = /^(?:(\d):)?(.+)$/.exec(text ?? "");
  const net = found ? Number(found[1] ?? 1) - 1 : 0;
  const view = nets[net]?.view;
  if (!found || !view) return null;
  const parts = found[2].split(".");
  const index = Number(parts[1]);
  if (parts[0] === SOFTMAX && parts.length === 2 && index >= 0) return { net, layer: SOFTMAX, unit: [index] };
  for (const count of [3, 1]) {
    const layer = parts.slice(0, -count).join(".");
    const unit = parts.slice(-count).map(Number);
    const shape = view.shapeOf(layer);
    const fits = shape?.length === count && unit.every((at, i) => at >= 0 && at < shape[i]);
    if (fits) return { net, layer, unit };
  }
  return null;
}
