/** The Draw tab: a picture in, every layer of the chosen models out. */

import { element } from "/page/draw-elements.js";
import { createImportance, createSeen } from "/page/draw-look.js";
import { createRun } from "/page/draw-run.js";
import { createSheet } from "/page/draw-sheet.js";
import { KEYS, Source } from "/page/draw-source.js";
import { createSamples, createTools } from "/page/draw-tools.js";
import { createPointing } from "/page/draw-unit.js";
import { decode } from "/page/maps.js";
import { createKernels } from "/page/network-kernels.js";
import { createNetwork } from "/page/network-view.js";
import { createUnitView } from "/page/unit-view.js";
import { pictureInput } from "/page/upload.js";

const MAPS = ["16", "32", "64", "all"];
const USUAL_MAPS = "32";
const ALL_MAPS = 4096;
const QUIET = 120; // ms after the last maps, before what is not shown at each is asked for

const source = new Source(); // a drawing outlives a visit of another tab

/** Mounts the tab; returns what ends it. */
export function mount(root, app) {
  const tab = new DrawTab(root, app);
  return () => tab.off();
}

class DrawTab {
  constructor(root, app) {
    const { t, theme } = app;
    Object.assign(this, { root, app, nets: [], offs: [], quiet: 0, samplesOf: null });
    this.control = new AbortController();
    this.sheet = createSheet({
      source, t,
      onDraw: (stamp) => this.changed(stamp),
      onDone: () => app.state.set(source.address()),
    });
    this.tools = createTools({ source, t, onChange: (event) => {
      this.sheet.paint();
      this.changed(event.timeStamp);
      app.state.set(source.address());
    } });
    this.samples = createSamples({
      t,
      onChoose: (sample) => this.takeSample(sample, pngOf(sample.picture)),
      onMore: () => app.state.set({ samples: 1 + Number(app.state.get("samples") ?? 0) }),
    });
    this.seen = createSeen(t);
    this.importance = createImportance({
      t,
      onWay: (way) => app.state.set({ why: way, class: way && app.state.get("class") }),
      onClass: (index) => app.state.set({ class: index }),
    });
    this.kernels = createKernels({ t, theme, onClose: () => app.state.set({ kernels: null }) });
    this.unit = createUnitView({
      t, theme, onPin: () => this.pointing.pinCurrent(), onClose: () => this.pointing.unpin(),
    });
    this.pointing = createPointing({
      app, nets: () => this.nets, picture: () => source.picture(), panel: this.unit, seen: this.seen,
    });
    this.build();
    this.listen();
    this.onModels();
  }

  build() {
    const { t } = this.app;
    const pictures = element("div", { class: "open" });
    this.note = element("p", { class: "muted small-note", id: "picture-note", hidden: true });
    this.maps = element("select", {
      id: "maps", onchange: () => this.app.state.set({ maps: this.maps.value === USUAL_MAPS ? null : this.maps.value }),
    }, ...MAPS.map((count) => new Option(count === "all" ? t("draw.all") : count, count)));
    this.mapsChoice = element("label", { class: "maps-choice muted" }, t("draw.maps"), this.maps);
    this.netBox = element("div", { class: "nets" });
    const why = element("div", { class: "why" }, this.importance.figure, this.importance.controls);
    const seen = element("div", { class: "seen-row" }, this.seen.node, why);
    const desk = element("section", { class: "desk", "aria-label": t("draw.desk") },
      this.sheet.node, this.tools.node,
      seen,
      element("div", { class: "desk-more" }, pictures, this.note, this.samples.node));
    const help = element("p", { id: "maps-help", class: "sr-only" }, t("draw.maps-help"));
    const work = element("div", { class: "work" }, this.netBox, this.unit.node, this.kernels.node, help);
    this.root.append(desk, work);
    this.offs.push(pictureInput(pictures, {
      t, area: this.root,
      onPicture: (blob) => this.takePicture(blob),
      onError: (error) => this.app.fail(error),
    }));
  }

  listen() {
    const { app } = this;
    const { state } = app;
    this.offs.push(
      state.on(["model", "compare"], () => this.onModels()),
      app.onModels(() => this.onModels()),
      state.on(KEYS, () => this.readSource()),
      state.on(["maps"], () => this.changed(null)),
      state.on(["unit"], () => this.pointing.read()),
      state.on(["kernels"], () => this.showKernels()),
      state.on(["why", "class"], () => this.showImportance()),
      state.on(["samples"], () => this.loadSamples()),
      app.theme.on(() => this.repaint()),
    );
    const escape = (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.pointing.unpin();
    };
    document.addEventListener("keydown", escape);
    this.offs.push(() => document.removeEventListener("keydown", escape));
  }

  /** Shows the networks that are chosen. */
  onModels() {
    const chosen = this.app.chosen();
    const names = chosen.map((model) => model.name).join();
    if (!chosen.length || names === this.names) return;
    this.names = names;
    while (this.nets.length > chosen.length) this.removeNet(this.nets.pop());
    while (this.nets.length < chosen.length) this.nets.push(this.addNet(this.nets.length));
    chosen.forEach((model, i) => {
      this.nets[i].model = model.name;
      this.nets[i].view.name(model);
    });
    this.model = chosen[0];
    this.root.classList.toggle("objects", this.model.framing !== "digit");
    this.root.classList.toggle("two", chosen.length > 1);
    this.readSource(true);
    this.loadSamples();
    this.showKernels();
    this.showImportance();
  }

  addNet(number) {
    const { api, theme, t, state } = this.app;
    const view = createNetwork({
      t, theme, on: this.pointing.on(number),
      onKernels: (layer) => state.set({ kernels: state.get("kernels") === layer ? null : layer }),
    });
    const net = { view, model: null, run: null };
    net.run = createRun({
      api, fail: (error) => this.app.fail(error),
      params: () => ({ model: net.model, maps: this.mapCount() }),
      show: (answer) => this.show(net, answer),
    });
    this.netBox.append(view.node);
    if (!number) view.head.append(this.mapsChoice);
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

  /** Asks for the maps of what is on the sheet; `stamp` is the time of the event that changed it. */
  changed(stamp) {
    for (const { run } of this.nets) run.ask(() => source.picture(), stamp);
    this.tools.update();
  }

  show(net, answer) {
    net.view.show(answer, source.empty);
    net.answered = true;
    if (net === this.nets[0]) {
      this.seen.show(answer.seen, answer.layers[0].shape);
      this.classes = answer.classes;
      if (source.kind === "picture" && !source.seen) this.keepSeen(answer.seen);
    }
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.afterwards(), QUIET);
  }

  /** Does what waits until the drawing rests. */
  afterwards() {
    this.pointing.read();
    this.pointing.refresh();
    this.showImportance();
  }

  keepSeen({ shape, data }) {
    const small = source.keepSeen({ shape, bytes: decode(data) });
    this.note.hidden = small;
    if (!small) this.note.textContent = this.app.t("draw.too-large");
    this.app.state.set(source.address());
  }

  /** Takes over what the URL says of the picture. */
  async readSource(anyway = false) {
    const { state } = this.app;
    const before = JSON.stringify(source.address());
    const sample = source.read((key) => state.get(key), this.model.stored);
    if (sample) {
      await this.fetchSample(sample);
      return;
    }
    if (!anyway && JSON.stringify(source.address()) === before) return;
    await this.showPicture();
    this.changed(null);
  }

  async fetchSample({ data, index }) {
    const own = this.model.data === data ? { model: this.model.name } : { data };
    try {
      const blob = await this.app.api.blob("/v1/sample", { ...own, index }, this.control);
      await this.takeSample({ data, index }, blob);
    } catch (error) {
      this.app.fail(error);
      source.draw();
      this.changed(null);
    }
  }

  async takeSample({ data, index }, blob) {
    source.takeSample({ data, index }, blob);
    await this.showPicture();
    this.app.state.set(source.address());
    this.changed(performance.now());
  }

  async takePicture(blob) {
    source.takePicture(blob);
    await this.showPicture();
    this.changed(performance.now());
  }

  /** Puts the sample or the picture on the sheet. */
  async showPicture() {
    this.note.hidden = true;
    this.samples.mark(source.kind === "sample" ? source.sample : null);
    const { blob, seen, kind } = source;
    const bitmap = blob && (await createImageBitmap(blob).catch(() => null));
    const stored = kind === "sample" || seen;
    const inverted = Boolean(stored) && this.model.framing === "digit";
    this.sheet.show(bitmap && { bitmap, inverted });
    this.tools.update();
  }

  async loadSamples() {
    const seed = this.app.state.get("samples");
    const wanted = `${this.model.name} ${seed}`;
    if (wanted === this.samplesOf) return;
    this.samplesOf = wanted;
    const params = { model: this.model.name, count: 20, seed };
    const answer = await this.app.api.get("/v1/samples", params, this.control).catch(() => null);
    if (wanted !== this.samplesOf) return; // null: no data set of this model is here
    this.samples.show(answer);
    this.samples.mark(source.kind === "sample" ? source.sample : null);
  }

  async showKernels() {
    const layer = this.app.state.get("kernels");
    if (!layer) {
      this.kernels.hide();
      return;
    }
    const params = { model: this.model.name, layer, maps: this.mapCount() };
    try {
      const answer = await this.app.api.get("/v1/kernels", params, this.control);
      if (this.app.state.get("kernels") === layer) this.kernels.show(answer);
    } catch (error) {
      this.kernels.hide();
      if (error.status !== 400) this.app.fail(error); // 400: the other model has no such layer
    }
  }

  async showImportance() {
    const { state, api } = this.app;
    const [way, index] = [state.get("why"), state.get("class")];
    this.importance.choose(way, index, this.model.classes);
    if (!["saliency", "occlusion"].includes(way) || !this.nets[0]?.answered) return;
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      const params = { model: this.model.name, class: index };
      const answer = await api.picture(`/v1/${way}`, params, source.picture(), this.asked);
      const input = this.nets[0].view.layers.get("input");
      if (state.get("why") === way) {
        this.importance.show(answer, { bytes: input.values.bytes, shape: input.layer.shape });
      }
    } catch (error) {
      this.app.fail(error);
    }
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
    this.control.abort();
    this.asked?.abort();
    this.nets.forEach((net) => this.removeNet(net));
  }
}

function pngOf(dataUrl) {
  return new Blob([decode(dataUrl.split(",")[1])], { type: "image/png" });
}
