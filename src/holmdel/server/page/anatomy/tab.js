/** The Anatomy tab: any network or model layer by layer, with options to change. */

import { putDrawing } from "./drawing.js";
import { LENET } from "./layers.js";
import { SUMS, drawnWith, fields, inputOf, query } from "./model.js";
import { build, sum } from "./parts.js";
import { layerTable } from "./table.js";
import { changed, createControl } from "../core/control.js";
import { element, say } from "../core/elements.js";
import { t } from "../core/texts.js";

/** @import { Anatomy, App, Network } from "../types.d.ts" */

const KEY = "anatomy.";
const MODEL = "model:"; // before the name of one, in the choice
const OWN = "own"; // the network whose layers are put together here
const DIGIT = [1, 28, 28];
const TALL = 2.2; // a drawing less wide than so many times its height stands beside the table
/** @type {{networks: Network[], usual: Map<string, Anatomy>}} */
const memory = { networks: [], usual: new Map() }; // outlives a visit of the tab

/**
 * Shows the tab.
 * @param {HTMLElement} root
 * @param {App} app
 * @returns {() => void} takes it away
 */
export function mount(root, app) {
  const tab = new AnatomyTab(root, app);
  tab.begin();
  return () => tab.remove();
}

class AnatomyTab {
  /** @type {App} */
  #app;
  #parts;
  #controls = new Map();
  #built = "";
  #rows = new Map();
  #drawn = new Map();
  #marked = [];
  #offs = [];
  #control = new AbortController();

  constructor(root, app) {
    this.#app = app;
    this.#parts = build(root, {
      choose: (value) => this.#choose(value),
      usual: () => this.#set(this.#cleared()),
      train: () => this.#train(),
      copy: () => this.#copy(),
      mark: (name) => this.#mark(name),
      pin: (name) => this.#pin(name),
      step: (by) => this.#step(by),
      build: (layers) => this.#set({ layers }),
    });
  }

  /** Fetches the networks, and shows the one that the URL names. */
  async begin() {
    const { api, state, onModels, fail } = this.#app;
    try {
      if (!memory.networks.length) memory.networks = (await api.get("/v1/networks")).networks;
    } catch (error) {
      return fail(error);
    }
    if (this.#control.signal.aborted) return;
    const names = new Set(memory.networks.flatMap((network) => network.options.map((option) => option.name)));
    const keys = ["network", "layers", "input", ...names].map((name) => KEY + name);
    this.#offs = [
      state.on([...keys, "model"], () => this.#show()),
      state.on([`${KEY}layer`], () => this.#mark(this.#get("layer"))),
      onModels(() => this.#offer()),
    ];
    await this.#show();
  }

  remove() {
    this.#control.abort();
    for (const off of this.#offs) off();
  }

  #get(name) {
    return this.#app.state.get(KEY + name);
  }

  #set(values, others = {}) {
    const named = Object.entries(values).map(([name, value]) => [KEY + name, value]);
    this.#app.state.set({ ...others, ...Object.fromEntries(named) });
  }

  #network() {
    return memory.networks.find((network) => network.name === this.#get("network")) ?? null;
  }

  #model() {
    return this.#app.chosen()[0] ?? null;
  }

  /** @returns {string | null} the layers of one's own network; null for another. */
  #layers() {
    return this.#get("network") === OWN ? (this.#get("layers") ?? LENET) : null;
  }

  #what() {
    const layers = this.#layers();
    if (layers !== null) return { layers };
    const network = this.#network();
    return network ? { network: network.name } : { model: this.#model()?.name };
  }

  #fields() {
    const network = this.#network();
    const input = network ? inputOf(network) : this.#layers() !== null ? DIGIT : (this.#model()?.input ?? []);
    return fields(network, input, (name) => this.#get(name));
  }

  #field(name) {
    return this.#fields().find((field) => field.name === name);
  }

  #cleared() {
    return Object.fromEntries([...this.#controls.keys()].map((name) => [name, null]));
  }

  /** Another network has other options: those of the last one go. */
  #choose(value) {
    const model = value.startsWith(MODEL) ? value.slice(MODEL.length) : null;
    const network = model ? null : value;
    this.#set({ ...this.#cleared(), layer: null, layers: null, network }, model ? { model } : {});
  }

  #train() {
    const layers = this.#layers();
    if (layers !== null) return this.#app.state.push({ tab: "train", "train.network": OWN, "train.layers": layers, "train.lesson": null });
    const given = this.#fields().filter((field) => field.given && !["input", "classes"].includes(field.name));
    const values = given.map((field) => [`train.${field.name}`, field.value]);
    this.#app.state.push({ tab: "train", "train.network": this.#network()?.name, ...Object.fromEntries(values) });
  }

  async #copy() {
    const { api, announce, fail } = this.#app;
    try {
      const answer = await api.blob("/v1/anatomy", { ...query(this.#what(), this.#fields()), form: "markdown" });
      const text = await answer.text();
      const { markdown, source, copied } = this.#parts;
      say(source, text);
      const there = await navigator.clipboard?.writeText(text).then(() => true, () => false);
      markdown.hidden = false;
      markdown.open = !there;
      say(copied, there ? t("anatomy.copied") : "");
      if (there) announce(t("anatomy.copied"));
    } catch (error) {
      fail(error);
    }
  }

  #offer() {
    const { what } = this.#parts;
    const model = this.#model();
    const names = memory.networks.map((network) => element("option", { value: network.name }, network.name));
    const models = this.#app.models.models.map(({ name }) => element("option", { value: MODEL + name }, name));
    const built = element("option", { value: OWN }, t("build.own"));
    const group = (label, options) => element("optgroup", { label: t(label) }, ...options);
    what.replaceChildren(built, group("anatomy.models", models), group("anatomy.networks", names));
    what.value = this.#layers() === null ? (this.#network()?.name ?? MODEL + model?.name) : OWN;
  }

  async #show() {
    this.#control.abort();
    this.#control = new AbortController();
    const { signal } = this.#control;
    const form = this.#fields();
    this.#offer();
    this.#showControls(form);
    this.#parts.editor.show(this.#layers());
    this.#parts.root.classList.toggle("own", this.#layers() !== null);
    try {
      const anatomy = await this.#app.api.get("/v1/anatomy", query(this.#what(), form), { signal });
      const usual = await this.#usual(anatomy.network);
      if (signal.aborted) return;
      this.#fill(anatomy, usual);
      this.#parts.editor.tell(anatomy, this.#input());
    } catch (error) {
      if (signal.aborted) return;
      this.#parts.editor.tell(null, this.#input());
      say(this.#parts.why, `${t("anatomy.unfit")} ${error.message}`);
      this.#parts.root.classList.add("unfit");
    }
  }

  #input() {
    const sides = String(this.#field("input")?.value ?? "").split("x").map(Number);
    return sides.length === 3 && sides.every((side) => side > 0) ? sides : DIGIT;
  }

  async #usual(network) {
    if (!memory.networks.some((one) => one.name === network)) return null;
    if (!memory.usual.has(network)) {
      memory.usual.set(network, await this.#app.api.get("/v1/anatomy", { network }));
    }
    return memory.usual.get(network);
  }

  #showControls(form) {
    const { fields: place, train, usual } = this.#parts;
    const wanted = form.map((field) => field.name).join();
    if (wanted !== this.#built) {
      this.#built = wanted;
      this.#controls = new Map(form.map((field) => [field.name, createControl(field, {
        id: `anatomy-${field.name}`,
        change: (value) => this.#set(changed(this.#field(field.name) ?? field, value)),
      })]));
      place.replaceChildren(...[...this.#controls.values()].map((control) => control.node));
    }
    for (const field of form) this.#controls.get(field.name).show(field);
    train.hidden = !this.#network() && this.#layers() === null;
    usual.hidden = !form.some((field) => field.given);
  }

  #fill(anatomy, usual) {
    const { root, sums, drawing, layers, markdown, why } = this.#parts;
    root.classList.remove("unfit");
    say(why, "");
    markdown.hidden = true;
    say(this.#parts.copied, "");
    sums.replaceChildren(...SUMS.map((name) => sum(name, anatomy, usual)));
    const { layers: parts, ratio } = putDrawing(drawing, anatomy.svg);
    root.classList.toggle("tall", ratio < TALL);
    const table = layerTable(anatomy, usual);
    layers.replaceChildren(table);
    this.#rows = new Map([...table.tBodies[0].rows].map((row) => [row.dataset.layer, row]));
    const drawn = drawnWith(anatomy.layers, new Set(parts.keys()));
    this.#drawn = new Map([...drawn].map(([name, shown]) => [name, parts.get(shown)]));
    this.#mark(this.#get("layer"));
  }

  /** Marks a layer in the table and in the drawing; null for the one in the URL, if any. */
  #mark(name) {
    for (const part of this.#marked) part.classList.remove("marked");
    const wanted = name ?? this.#get("layer");
    this.#marked = [this.#rows.get(wanted), this.#drawn.get(wanted)].filter(Boolean);
    for (const part of this.#marked) part.classList.add("marked");
  }

  /** Keeps a layer marked, in the table and in the drawing, and brings both into sight. */
  #pin(name) {
    this.#set({ layer: name === this.#get("layer") ? null : name });
    for (const part of [this.#drawn.get(name), this.#rows.get(name)]) part?.scrollIntoView({ block: "nearest" });
  }

  #step(by) {
    const names = [...this.#rows.keys()];
    const now = names.indexOf(this.#get("layer"));
    const to = now < 0 ? (by > 0 ? 0 : names.length - 1) : Math.min(Math.max(now + by, 0), names.length - 1);
    this.#set({ layer: names[to] });
    this.#rows.get(names[to]).scrollIntoView({ block: "nearest" });
    const cells = [...this.#rows.get(names[to]).cells].map((cell) => cell.textContent);
    this.#app.announce(cells.filter(Boolean).join(", "));
  }
}
