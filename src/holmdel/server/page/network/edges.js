/** The lines of a network: between layers, and from a unit back to all it hangs on. */

import { svg } from "../core/elements.js";
import { rectangle, wholeOf } from "./boxes.js";
import { keyOf, pipeOf } from "./pipes.js";

/** @import { LayerView } from "./layer.js" */
/** @import { Link, Plan } from "../types.d.ts" */

const DRAWN = 700; // ms
const MOST = 160; // lines between two layers; more are a band

/** What lies over the layers of a network and shows what hangs on what. */
export class Edges {
  #rest = svg("path", { class: "pipes" });
  #lit = svg("g", { class: "lit" });
  /** @type {Plan | null} */
  #plan = null;
  /** @type {Map<string, LayerView>} */
  #layers = new Map();

  constructor() {
    this.node = svg("svg", { class: "edges", "aria-hidden": "true" }, this.#rest, this.#lit);
  }

  /** @param {Plan} plan @param {Map<string, LayerView>} layers */
  show(plan, layers) {
    [this.#plan, this.#layers] = [plan, layers];
    const lines = plan.edges.map(([from, to]) => pipeOf(plan, from, to));
    this.#rest.setAttribute("d", lines.join(""));
    this.clear();
  }

  clear() {
    this.#lit.replaceChildren();
  }

  /**
   * Lights up the lines between two layers.
   * @param {Link} link
   */
  add({ from, to, pairs, box, end, kind, shares }) {
    const [one, two] = [this.#layers.get(from), this.#layers.get(to)];
    if (!one || !two || !this.#plan) return;
    if (this.#plan.shortcuts.has(keyOf(from, to))) return this.#around(from, to, kind);
    if (pairs.length > MOST) return this.#band(from, to, kind);
    const plain = [];
    pairs.forEach(([a, b], i) => {
      const line = this.#line(from, one, a, box, to, two, b, end);
      if (!line) return;
      if (shares) this.#lit.append(coloured(line, shares[i], kind));
      else plain.push(line);
    });
    if (plain.length) this.#lit.append(svg("path", { class: `edge ${kind}`, d: plain.join("") }));
  }

  /** Lets what is lit up draw itself, from the input on; back from the loss for the other way. */
  draw(back) {
    const hidden = this.#plan?.down ? (back ? "inset(100% 0 0 0)" : "inset(0 0 100% 0)") : back ? "inset(0 0 0 100%)" : "inset(0 100% 0 0)";
    this.#lit.animate([{ clipPath: hidden }, { clipPath: "inset(0)" }], { duration: DRAWN, easing: "ease-in-out" });
  }

  /** A cone from a box of one map to a box of another. */
  #line(from, one, a, box, to, two, b, end) {
    const near = this.#at(from, rectangle(one.geometry, a, box ?? wholeOf(one.geometry)));
    const far = this.#at(to, rectangle(two.geometry, b, end ?? wholeOf(two.geometry)));
    if (!near || !far) return "";
    const [x0, y0, x1, y1] = near;
    const [u0, v0, u1, v1] = far;
    if (this.#plan?.down) return `M${x0} ${y1}L${(u0 + u1) / 2} ${v0}L${x1} ${y1}`;
    return `M${x1} ${y0}L${u0} ${(v0 + v1) / 2}L${x1} ${y1}`;
  }

  #at(name, found) {
    const place = this.#plan?.places.get(name);
    return found && place && found.map((value, i) => round(value + (i % 2 ? place.y : place.x)));
  }

  /** A shortcut goes around what is between, lit up or not. */
  #around(from, to, kind) {
    if (this.#plan) this.#lit.append(svg("path", { class: `edge around ${kind}`, d: pipeOf(this.#plan, from, to) }));
  }

  #band(from, to, kind) {
    const [a, b] = [from, to].map((name) => this.#plan?.places.get(name));
    if (!a || !b) return;
    const down = this.#plan?.down;
    const d = down
      ? `M${a.x} ${a.y + a.height}L${b.x} ${b.y}H${b.x + b.width}L${a.x + a.width} ${a.y + a.height}Z`
      : `M${a.x + a.width} ${a.y}L${b.x} ${b.y}V${b.y + b.height}L${a.x + a.width} ${a.y + a.height}Z`;
    this.#lit.append(svg("path", { class: `edge band ${kind}`, d }));
  }
}

function coloured(d, share, kind) {
  const sign = share < 0 ? "negative" : "positive";
  const path = svg("path", { class: `edge ${kind} ${sign}`, d });
  path.style.opacity = String(0.12 + 0.88 * Math.sqrt(Math.min(1, Math.abs(share))));
  return path;
}

const round = (value) => Math.round(value * 10) / 10;
