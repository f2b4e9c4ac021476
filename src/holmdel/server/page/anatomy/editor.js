/** The layers of a network of one's own, to add, change, move and take away. */

import { button, element, say } from "../core/elements.js";
import { grouped } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { NUMBERS, codeOf, freshLayer, parseLayers, writeLayers } from "./layers.js";

/** @import { Anatomy, BuiltLayer } from "../types.d.ts" */

/** The editor. It shows a text of layers, and tells of every change as another text. */
export class Editor {
  /** @type {BuiltLayer[]} */
  #layers = [];
  #text = "";
  #rows = [];
  #onChange;
  #list = element("ol", { class: "built", id: "build-layers" });
  #torch = element("pre", { id: "build-torch", tabindex: "0" });
  #book = element("pre", { id: "build-book", tabindex: "0" });

  /** @param {(text: string) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    const kinds = Object.keys(NUMBERS).map((kind) => new Option(t(`build.${kind}`), kind));
    const kind = element("select", { id: "build-kind", "aria-label": t("build.kind") }, ...kinds);
    const add = button(t("build.add"), { id: "build-add", class: "small", onclick: () => this.#insert(kind.value) });
    const code = element("details", { id: "build-code" }, element("summary", {}, t("build.code")),
      element("h3", {}, "PyTorch"), this.#torch, element("h3", {}, t("build.book")), this.#book);
    this.node = element("div", { class: "editor", hidden: true },
      element("div", { class: "row" }, kind, add), this.#list, code);
  }

  /** @param {string | null} text of layers; null hides the editor. */
  show(text) {
    this.node.hidden = text === null;
    if (text === null || text === this.#text) return;
    this.#text = text;
    this.#layers = parseLayers(text);
    this.#rows = this.#layers.map((layer, at) => this.#row(layer, at));
    this.#list.replaceChildren(...this.#rows.map((row) => row.node));
  }

  /** Shows what each layer gives, and the code. @param {Anatomy | null} anatomy @param {number[]} input */
  tell(anatomy, input) {
    this.#rows.forEach(({ shape, weights }, i) => {
      const layer = anatomy?.layers[i];
      say(shape, layer ? layer.output.join("\u00d7") : "");
      say(weights, layer?.parameters ? t("build.weights", { count: grouped(layer.parameters) }) : "");
    });
    const { torch, book } = codeOf(this.#layers, input, anatomy?.layers ?? []);
    say(this.#torch, torch);
    say(this.#book, book);
  }

  #row({ kind, numbers }, at) {
    const fields = Object.entries(numbers).map(([name, value]) =>
      element("label", { class: "built-number" }, `${t(`build.${name}`)} `, element("input", {
        type: "number", min: name === "padding" ? 0 : 1, step: 1, value, id: `build-${at}-${name}`,
        onchange: (event) => this.#change(at, name, event.target.value),
      })));
    const act = (sign, key, work, disabled = false) =>
      button(sign, { class: "small quiet", "aria-label": t(key, { number: at }), title: t(key, { number: at }), disabled, onclick: work });
    const shape = element("span", { class: "number muted built-shape" });
    const weights = element("span", { class: "muted small" });
    const node = element("li", { "data-kind": kind }, element("b", {}, `${at} ${t(`build.${kind}`)}`),
      element("span", { class: "row built-numbers" }, ...fields), shape, weights,
      element("span", { class: "built-acts" },
        act("\u2191", "build.up", () => this.#move(at, -1), at === 0),
        act("\u2193", "build.down", () => this.#move(at, 1), at === this.#layers.length - 1),
        act("\u00d7", "build.remove", () => this.#remove(at), this.#layers.length === 1)));
    return { node, shape, weights };
  }

  #change(at, name, text) {
    const value = Math.max(name === "padding" ? 0 : 1, Math.round(Number(text)) || 0);
    const old = this.#layers[at];
    /** @type {Record<string, number>} */
    const numbers = { ...old.numbers, [name]: value };
    if (name === "kernel" && old.kind !== "conv" && old.numbers.stride === old.numbers.kernel) numbers.stride = value;
    this.#set(this.#layers.map((layer, i) => (i === at ? { kind: layer.kind, numbers } : layer)));
  }

  /** Puts a layer before the last one, which gives the logits. */
  #insert(kind) {
    const end = this.#layers.length - 1;
    this.#set([...this.#layers.slice(0, end), freshLayer(kind), ...this.#layers.slice(end)]);
  }

  #move(at, by) {
    const layers = [...this.#layers];
    [layers[at], layers[at + by]] = [layers[at + by], layers[at]];
    this.#set(layers);
  }

  #remove(at) {
    this.#set(this.#layers.filter((_, i) => i !== at));
  }

  #set(layers) {
    this.#onChange(writeLayers(layers));
  }
}
