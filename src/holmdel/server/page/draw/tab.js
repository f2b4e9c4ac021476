/** The Draw tab: an image in, every layer of the chosen models out. */

import { Importance } from "./importance.js";
import { createInputImage } from "./input.js";
import { createActivationsRequest } from "./request.js";
import { KEYS } from "./source.js";
import { Pointing } from "../unit/pointing.js";
import { Backward } from "./backward.js";
import { Desk } from "./desk.js";
import { button, element, say } from "../core/elements.js";
import { legend } from "../network/legend.js";
import { Kernels } from "../network/kernels.js";
import { ALL } from "../network/stages.js";
import { NetworkView } from "../network/view.js";
import { t } from "../core/texts.js";
import { UnitView } from "../unit/view.js";

/** @import { App, Model, ShownNetwork } from "../types.d.ts" */

const MAPS = ["16", "32", "64", "all"];
const USUAL_MAPS = "32";
const ALL_MAPS = 4096;
const QUIET = 120; // ms after the last maps, before what is not shown at each is asked for

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
  /** @type {Desk} */
  desk;
  seen = createInputImage();
  /** @type {Importance} */
  importance;
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
  /** @type {HTMLButtonElement} */
  unfold;
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

  constructor(root, app) {
    this.root = root;
    this.app = app;
    this.makeDesk();
    this.makeWork();
    this.listen();
    this.onModels();
  }

  makeDesk() {
    this.importance = new Importance(this.app);
    this.desk = new Desk({
      app: this.app,
      root: this.root,
      more: [this.seen.node, this.importance.node],
      on: { model: () => this.model, changed: (stamp) => this.changed(stamp) },
    });
    this.root.append(this.desk.node);
  }

  makeWork() {
    const { theme, state } = this.app;
    const options = MAPS.map((count) => new Option(count === "all" ? t("draw.all") : count, count));
    const wanted = () => (this.maps.value === USUAL_MAPS ? null : this.maps.value);
    const onchange = () => state.set({ maps: wanted() });
    this.maps = element("select", { id: "maps", onchange }, ...options);
    this.mapsChoice = element("label", { class: "maps-choice muted" }, t("draw.maps"), this.maps);
    const unfold = () => state.set({ open: state.get("open") === ALL ? null : ALL });
    this.unfold = button(t("stages.all"), { id: "all-layers", class: "small", hidden: true, title: t("stages.all-help"), onclick: unfold });
    this.kernels = new Kernels(this.app);
    this.unit = new UnitView({
      theme,
      state,
      onPin: () => this.pointing.pinCurrent(),
      onClose: () => this.pointing.unpin(),
      onVisit: (stop) => this.pointing.visit(stop),
      move: (by) => this.pointing.move(by),
    });
    const about = { app: this.app, nets: () => this.nets, picture: this.desk.picture, panel: () => this.unit };
    this.backward = new Backward({ ...about, model: () => this.model, truth: () => this.desk.truth() });
    this.pointing = new Pointing({
      ...about,
      seen: this.seen,
      explained: (net, place, control) =>
        this.backward.on ? this.backward.explained(net, place, control) : this.pointing.forward(net, place, control),
    });
    const help = element("p", { id: "maps-help", class: "sr-only" }, t("draw.maps-help"));
    const bar = element("div", { class: "net-tools" }, this.backward.node, this.facts, this.unfold, this.mapsChoice);
    const parts = [bar, this.netBox, legend(), this.kernels.node, this.unit.node, help];
    this.root.append(element("div", { class: "work" }, ...parts));
    this.unit.refresh();
  }

  listen() {
    const { state, onModels, theme } = this.app;
    this.offs.push(
      state.on(["model", "compare"], () => this.onModels()),
      onModels(() => this.onModels()),
      state.on(KEYS, () => this.desk.read()),
      state.on(["maps"], () => this.changed(null)),
      state.on(["maps", "kernels"], () => this.updateKernels()),
      state.on(["unit"], () => this.pointing.read()),
      state.on(["open"], () => this.nets.forEach(({ view }) => view.refold())),
      state.on(["why", "class"], () => this.updateImportance()),
      state.on(["digits"], () => this.unit.refresh()),
      state.on(["backward", "rate"], () => this.updateBackward()),
      state.on(["samples"], () => this.desk.load()),
      theme.on(() => this.repaint()),
    );
    const escape = ({ key }) => key === "Escape" && this.pointing.unpin();
    document.addEventListener("keydown", escape);
    this.root.addEventListener("pointerover", () => this.unit.load(), { once: true });
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
    this.desk.sheet.invite(t(digits ? "draw.hint" : "draw.hint-object"));
    this.desk.onModel();
    this.updateKernels();
    this.updateImportance();
  }

  addNet(number) {
    const { api, theme, fail } = this.app;
    const onKernels = (layer) => this.kernels.toggle(number, layer);
    const onRebuilt = () => {
      this.showFolds();
      this.updateBackward();
    };
    const on = this.pointing.on(number);
    const whole = () => this.app.state.get("maps") !== null;
    const open = () => this.app.state.get("open");
    const onOpen = (group) => this.app.state.set({ open: group });
    const onKind = (layer) => this.unit.showKind(layer);
    const onClass = (index) => this.pointing.pinClass(number, index);
    const view = new NetworkView({ theme, on, onKernels, onKind, onClass, onRebuilt, whole, open, onOpen });
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

  /** Asks for the maps of what is on the sheet; `stamp`: the time of the event that changed it. */
  changed(stamp) {
    for (const { run } of this.nets) run.ask(this.desk.picture, stamp);
    this.desk.tools.update();
  }

  show(net, answer, picture) {
    net.view.show(answer, this.desk.empty);
    net.answered = true;
    this.showFolds();
    if (net === this.nets[0]) {
      this.seen.show(answer.seen, answer.layers[0].shape);
      this.desk.keepSeen(picture, answer.seen);
    }
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.afterwards(), QUIET);
  }

  /** Offers all layers where some network is too deep for its room. */
  showFolds() {
    this.unfold.hidden = !this.nets.some(({ view }) => view.deep);
    this.unfold.setAttribute("aria-pressed", String(this.app.state.get("open") === ALL));
  }

  /** Does what waits until the drawing rests. */
  afterwards() {
    this.desk.mark();
    this.pointing.read();
    this.updateBackward();
    this.updateImportance();
  }

  /** Shows the gradients in the places of the maps, or the maps again, and the unit anew. */
  async updateBackward() {
    await this.backward.update();
    this.pointing.refresh();
  }

  updateKernels() {
    this.kernels.update(this.nets.map((net) => net.model), this.mapCount());
  }

  updateImportance() {
    const input = this.nets[0].answered && this.nets[0].view.layers.get("input");
    this.importance.update(this.model, this.desk.picture, input || undefined);
  }

  repaint() {
    this.nets.forEach(({ view }) => view.repaint());
    this.kernels.repaint();
    this.pointing.refresh();
  }

  off() {
    clearTimeout(this.quiet);
    this.offs.forEach((off) => off());
    this.desk.off();
    this.pointing.off();
    this.kernels.off();
    this.importance.off();
    this.nets.forEach((net) => this.removeNet(net));
  }
}
