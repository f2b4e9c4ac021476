/** The Draw tab: an image in, every layer of the chosen models out. */

import { decode, pngOf } from "../core/base64.js";
import { Importance } from "./importance.js";
import { createInputImage } from "./input.js";
import { createActivationsRequest } from "./request.js";
import { Samples } from "./samples.js";
import { createSheet } from "./sheet.js";
import { KEYS, Source } from "./source.js";
import { Tools } from "./tools.js";
import { Pointing } from "../unit/pointing.js";
import { Backward } from "./backward.js";
import { element, say } from "../core/elements.js";
import { legend } from "../network/legend.js";
import { Kernels } from "../network/kernels.js";
import { NetworkView } from "../network/view.js";
import { t } from "../core/texts.js";
import { UnitView } from "../unit/view.js";
import { imageInput } from "../core/upload.js";

/** @import { App, Model, Sheet, ShownNetwork } from "../types.d.ts" */

const MAPS = ["16", "32", "64", "all"];
const USUAL_MAPS = "32";
const ALL_MAPS = 4096;
const QUIET = 120; // ms after the last maps, before what is not shown at each is asked for

const source = new Source(); // a drawing outlives a visit of another tab
let fresh = true; // nothing was on the sheet yet: it begins with a sample

/**
 * Mounts the tab.
 * @param {HTMLElement} root
 * @param {App} app
 * @returns {() => void} ends it.
 */
export function mount(root, app) {
  const tab = new DrawTab(root, app);
  return () => tab.off();
}

/** @typedef {ShownNetwork & {run: ReturnType<typeof createActivationsRequest>, answered: boolean}} Net */

class DrawTab {
  /** @type {App} */
  app;
  /** @type {HTMLElement} */
  root;
  /** @type {Sheet} */
  sheet;
  /** @type {Tools} */
  tools;
  /** @type {Samples} */
  samples;
  seen = createInputImage();
  /** @type {Importance} */
  importance;
  note = element("p", { class: "muted small", id: "picture-note", hidden: true });
  /** @type {HTMLSelectElement} */
  maps;
  /** @type {HTMLElement} */
  mapsChoice;
  /** @type {Kernels} */
  kernels;
  /** @type {UnitView} */
  unit;
  /** @type {Pointing} */
  pointing;
  /** @type {Backward} */
  backward;
  netBox = element("div", { class: "nets" });
  facts = element("span", { class: "muted small facts" });
  /** @type {Model} the first that is chosen. */
  model;
  names = "";
  /** @type {Net[]} */
  nets = [];
  /** @type {(() => void)[]} */
  offs = [];
  quiet = 0;
  fetching = new AbortController(); // of a sample; what is drawn or chosen meanwhile goes first

  constructor(root, app) {
    this.root = root;
    this.app = app;
    this.makeDesk();
    this.makeWork();
    this.listen();
    this.onModels();
  }

  makeDesk() {
    const { state } = this.app;
    const onDraw = (stamp) => this.drawn(stamp);
    this.sheet = createSheet({ source, onDraw, onDone: () => state.set(source.address()) });
    const onChange = (event) => {
      this.sheet.paint();
      this.drawn(event.timeStamp);
      state.set(source.address());
    };
    this.tools = new Tools({ source, onChange, save: () => this.save() });
    this.samples = new Samples({
      app: this.app,
      onChoose: (sample) => this.takeSample(sample, pngOf(sample.picture)),
      onMore: () => state.set({ samples: 1 + Number(state.get("samples") ?? 0) }),
    });
    this.importance = new Importance(this.app);
    const pictures = element("div", { class: "row open" });
    const desk = element(
      "section",
      { class: "desk", "aria-label": t("draw.desk") },
      this.sheet.node,
      this.tools.node,
      element("div", { class: "seen-row" }, this.seen.node, this.importance.node),
      element("div", { class: "desk-more" }, pictures, this.note, this.samples.node),
    );
    this.root.append(desk);
    const onImage = (blob) => this.takeImage(blob);
    const given = { area: this.root, onImage, onError: this.app.fail };
    this.offs.push(imageInput(pictures, given));
  }

  makeWork() {
    const { theme, state } = this.app;
    const options = MAPS.map((count) => new Option(count === "all" ? t("draw.all") : count, count));
    const wanted = () => (this.maps.value === USUAL_MAPS ? null : this.maps.value);
    const onchange = () => state.set({ maps: wanted() });
    this.maps = element("select", { id: "maps", onchange }, ...options);
    this.mapsChoice = element("label", { class: "maps-choice muted" }, t("draw.maps"), this.maps);
    this.kernels = new Kernels(this.app);
    this.unit = new UnitView({
      theme,
      state,
      onPin: () => this.pointing.pinCurrent(),
      onClose: () => this.pointing.unpin(),
      move: (by) => this.pointing.move(by),
    });
    const about = { app: this.app, nets: () => this.nets, picture: () => source.picture(), panel: () => this.unit };
    this.backward = new Backward({ ...about, model: () => this.model, truth: () => this.truth() });
    this.pointing = new Pointing({
      ...about,
      seen: this.seen,
      explained: (net, place, control) =>
        this.backward.on ? this.backward.explained(net, place, control) : this.pointing.forward(net, place, control),
    });
    const help = element("p", { id: "maps-help", class: "sr-only" }, t("draw.maps-help"));
    const bar = element("div", { class: "net-tools" }, this.backward.node, this.facts, this.mapsChoice);
    const parts = [bar, this.netBox, legend(), this.kernels.node, this.unit.node, help];
    this.root.append(element("div", { class: "work" }, ...parts));
    this.unit.refresh();
  }

  listen() {
    const { state, onModels, theme } = this.app;
    this.offs.push(
      state.on(["model", "compare"], () => this.onModels()),
      onModels(() => this.onModels()),
      state.on(KEYS, () => this.readSource()),
      state.on(["maps"], () => this.changed(null)),
      state.on(["maps", "kernels"], () => this.updateKernels()),
      state.on(["unit"], () => this.pointing.read()),
      state.on(["why", "class"], () => this.updateImportance()),
      state.on(["digits"], () => this.unit.refresh()),
      state.on(["backward", "rate", "learn"], () => this.updateBackward()),
      state.on(["samples"], () => this.loadSamples()),
      theme.on(() => this.repaint()),
    );
    const escape = ({ key }) => key === "Escape" && this.pointing.unpin();
    document.addEventListener("keydown", escape);
    this.offs.push(() => document.removeEventListener("keydown", escape));
  }

  /** Shows the networks that are chosen. */
  onModels() {
    const chosen = this.app.chosen();
    const names = chosen.map((model) => model.name).join();
    if (!chosen.length || names === this.names) return;
    this.names = names;
    this.nets.splice(chosen.length).forEach((net) => this.removeNet(net));
    chosen.forEach((model, i) => {
      this.nets[i] ??= this.addNet(i);
      this.nets[i].model = model.name;
      this.nets[i].view.name(model);
    });
    this.model = chosen[0];
    say(this.facts, this.nets.length > 1 ? "" : (this.nets[0].view.facts.textContent ?? ""));
    const digits = this.model.framing === "digit";
    this.root.classList.toggle("objects", !digits);
    this.sheet.invite(t(digits ? "draw.hint" : "draw.hint-object"));
    if (!this.begins) this.readSource(true);
    this.loadSamples();
    this.updateKernels();
    this.updateImportance();
  }

  addNet(number) {
    const { api, theme, fail } = this.app;
    const onKernels = (layer) => this.kernels.toggle(number, layer);
    const onRebuilt = () => this.updateBackward();
    const on = this.pointing.on(number);
    const whole = () => this.app.state.get("maps") !== null;
    const onKind = (layer) => this.unit.showKind(layer);
    const onClass = (index) => this.pointing.pinClass(number, index);
    const view = new NetworkView({ theme, on, onKernels, onKind, onClass, onRebuilt, whole });
    const run = createActivationsRequest({
      api,
      fail,
      params: () => ({ model: net.model, maps: this.mapCount() }),
      show: (answer, picture) => this.show(net, answer, picture),
    });
    /** @type {Net} */
    const net = { view, model: "", run, answered: false };
    this.netBox.append(view.node);
    return net;
  }

  removeNet({ view, run }) {
    run.off();
    view.off();
    view.node.remove();
  }

  mapCount() {
    const wanted = this.app.state.get("maps") ?? USUAL_MAPS;
    const count = MAPS.includes(wanted) ? wanted : USUAL_MAPS;
    if (this.maps.value !== count) this.maps.value = count;
    return count === "all" ? ALL_MAPS : count;
  }

  drawn(stamp) {
    this.fetching.abort();
    this.changed(stamp);
  }

  /** Asks for the maps of what is on the sheet; `stamp`: the time of the event that changed it. */
  changed(stamp) {
    for (const { run } of this.nets) run.ask(() => source.picture(), stamp);
    this.tools.update();
  }

  show(net, answer, picture) {
    net.view.show(answer, source.empty);
    net.answered = true;
    if (net === this.nets[0]) {
      this.seen.show(answer.seen, answer.layers[0].shape);
      if (picture === source.blob) this.keepSeen(answer.seen);
    }
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.afterwards(), QUIET);
  }

  /** Does what waits until the drawing rests. */
  afterwards() {
    this.markSample();
    this.pointing.read();
    this.updateBackward();
    this.updateImportance();
  }

  /** Shows the gradients in the places of the maps, or the maps again, and the unit anew. */
  async updateBackward() {
    await this.backward.update();
    this.pointing.refresh();
  }

  /** @returns {string | null} the label of what is on the sheet, where it is a sample. */
  truth() {
    return this.samples.labelOf(source.sample);
  }

  /** Gives what is on the sheet as a file. */
  save() {
    const blob = new Blob([/** @type {any} */ (source.picture())], { type: "image/png" });
    const link = element("a", { href: URL.createObjectURL(blob), download: "drawing.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  keepSeen({ shape, data }) {
    const small = source.keepSeen({ shape, bytes: decode(data) });
    this.note.hidden = small;
    if (!small) this.note.textContent = t("draw.too-large");
    this.app.state.set(source.address());
  }

  /** Takes over what the URL says of the picture. */
  async readSource(anyway = false) {
    this.fetching.abort();
    const before = JSON.stringify(source.address());
    const sample = source.read((key) => this.app.state.get(key), this.model.stored);
    if (sample) return this.fetchSample(sample);
    if (!anyway && JSON.stringify(source.address()) === before) return;
    await this.showImage();
    this.changed(null);
  }

  async fetchSample({ data, index }) {
    const own = this.model.data === data ? { model: this.model.name } : { data };
    const { signal } = (this.fetching = new AbortController());
    try {
      const blob = await this.app.api.blob("/v1/sample", { ...own, index }, { signal });
      if (!signal.aborted) await this.takeSample({ data, index }, blob);
    } catch (error) {
      if (signal.aborted) return;
      this.app.fail(error);
      source.draw();
      this.changed(null);
    }
  }

  async takeSample({ data, index }, blob) {
    this.fetching.abort();
    source.takeSample({ data, index }, blob);
    await this.showImage();
    this.app.state.set(source.address());
    this.changed(performance.now());
  }

  async takeImage(blob) {
    this.fetching.abort();
    source.takeImage(blob);
    await this.showImage();
    this.changed(performance.now());
  }

  /** Puts the sample or the picture on the sheet. */
  async showImage() {
    this.markSample();
    const { blob, framed } = source;
    const bitmap = blob && (await createImageBitmap(blob).catch(() => null));
    if (blob !== source.blob) return; // another was taken meanwhile
    const inverted = framed && this.model.framing === "digit";
    this.sheet.show(bitmap ? { bitmap, inverted } : null);
    this.tools.update();
  }

  markSample() {
    this.samples.mark(source.sample);
    if (source.kind !== "picture") this.note.hidden = true;
  }

  async loadSamples() {
    await this.samples.update(this.model.name, this.app.state.get("samples"));
    this.markSample();
    const begins = this.begins;
    fresh = false;
    if (begins && !this.samples.takeFirst()) this.changed(null);
  }

  /** @returns {boolean} whether a sample is to come, as there is nothing yet. */
  get begins() {
    return fresh && source.empty && KEYS.every((key) => !this.app.state.get(key));
  }

  updateKernels() {
    this.kernels.update(this.nets.map((net) => net.model), this.mapCount());
  }

  updateImportance() {
    const input = this.nets[0].answered && this.nets[0].view.layers.get("input");
    this.importance.update(this.model, () => source.picture(), input || undefined);
  }

  repaint() {
    this.nets.forEach(({ view }) => view.repaint());
    this.kernels.repaint();
    this.pointing.refresh();
  }

  off() {
    clearTimeout(this.quiet);
    this.offs.forEach((off) => off());
    this.tools.off();
    this.pointing.off();
    this.fetching.abort();
    this.kernels.off();
    this.importance.off();
    this.nets.forEach((net) => this.removeNet(net));
  }
}
