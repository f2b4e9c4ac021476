/** The Train tab: settings, curves, and what the network sees while it learns. */

import { changed } from "../core/control.js";
import { KEYS as SHEET } from "../draw/source.js";
import { figure } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { TrainingStore, alive } from "./store.js";
import { TrainingActivations } from "./activations.js";
import { LENET } from "../anatomy/layers.js";
import { namesOf } from "./names.js";
import { FIRST_LESSON, LESSONS, fields, lesson, lessonData, lessonValues, request, withOwn } from "./plan.js";
import { classesOf } from "./series.js";
import { KEY, build, keys } from "./parts.js";
import { showEpochs } from "./runs.js";

/** @import { App, DataSet, Networks } from "../types.d.ts" */

const DIGIT = [1, 28, 28];

/** @type {{store: TrainingStore | null, offers: Networks | null}} */
const memory = { store: null, offers: null }; // outlives a visit of the tab

/**
 * Shows the tab.
 * @param {HTMLElement} root
 * @param {App} app
 * @returns {() => void} takes it away
 */
export function mount(root, app) {
  memory.store ??= new TrainingStore(app.api);
  const tab = new TrainTab(root, app, memory.store);
  tab.open();
  return () => tab.remove();
}

class TrainTab {
  #app;
  #store;
  #parts;
  #activations;
  #at = null;
  #frame = 0;
  #statuses = new Map();
  #refused = null;
  #offs = [];
  #removed = false;
  /** @type {Networks} */
  #offers;
  /** @type {DataSet[]} */
  #data;

  constructor(root, app, store) {
    [this.#app, this.#store] = [app, store];
    this.#parts = build(root, {
      change: (name, value) => this.#change(name, value),
      start: () => this.#start(),
      clear: () => this.#clear(),
      lesson: (name) => this.#startLesson(name),
      act: (verb) => this.#act(verb),
      draw: (model) => app.state.push({ tab: "draw", model }),
      point: (at) => this.#point(at),
      redraw: () => this.#draw(),
      show: (id, shown) => this.#showRun(id, shown),
      watch: (id) => this.#set({ training: id }),
      other: () => this.#set({ sample: (Number.parseInt(this.#get("sample"), 10) || 0) + 1 }),
      mine: () => this.#set({ sample: null }),
    });
    this.#activations = new TrainingActivations(app.api, (key) => app.state.get(key), {
      seen: (view) => this.#seen(view),
      failed: (error) => app.fail(error),
    });
  }

  /** Fetches what there is to choose, and shows all. */
  async open() {
    const { api, state, theme, fail } = this.#app;
    try {
      const asked = [memory.offers ?? api.get("/v1/networks"), api.get("/v1/data")];
      const [offers, { data }] = await Promise.all([...asked, this.#store.load()]);
      memory.offers = offers;
      this.#offers = withOwn(offers, this.#app.models.models);
      this.#data = data;
    } catch (error) {
      return fail(error);
    }
    if (this.#removed) return;
    this.#offs = [
      this.#store.on((_, begun) => this.#changed(begun)),
      state.on(keys(this.#offers), () => this.#draw()),
      theme.on(() => this.#parts.live.paint(theme.dark)),
    ];
    for (const training of this.#store.all()) this.#statuses.set(training.id, training.status);
    this.#changed(null);
  }

  /** Takes the tab away; trainings and lessons go on. */
  remove() {
    this.#removed = true;
    cancelAnimationFrame(this.#frame);
    for (const off of this.#offs) off();
    this.#parts.panels.remove();
    this.#activations.stop();
  }

  #get(name) {
    return this.#app.state.get(KEY + name);
  }

  #set(values) {
    const named = Object.entries(values).map(([name, value]) => [KEY + name, value]);
    this.#app.state.set(Object.fromEntries(named));
  }

  #fields() {
    return fields(this.#offers, this.#data, (name) => this.#get(name));
  }

  /** @returns {string | null} the lesson that is chosen; one is where nothing else is. */
  #lesson() {
    const named = this.#get("lesson");
    if (named && named in LESSONS) return named;
    const other = named !== null || this.#store.all().length || this.#fields().some((field) => field.given);
    return other ? null : FIRST_LESSON;
  }

  #change(name, value) {
    const field = this.#fields().find((one) => one.name === name);
    if (!field) return;
    this.#set({ ...changed(field, value), ...(name === "data" ? {} : { lesson: null }) });
    this.#draw();
  }

  #clear() {
    this.#set(Object.fromEntries([...this.#fields().map((field) => [field.name, null]), ["lesson", null]]));
  }

  #start() {
    const form = this.#fields();
    const name = this.#lesson();
    if (!name) return this.#begin([request(form, this.#get("layers") ?? LENET)]);
    this.#set({ lesson: name });
    return this.#begin(lesson(name, lessonData(request(form).data, this.#data)));
  }

  #startLesson(name) {
    const form = this.#fields();
    const data = lessonData(request(form).data, this.#data);
    const usual = form.find((field) => field.name === "data")?.fallback;
    const values = lessonValues(name, data, form);
    this.#set({ ...values, data: data === usual ? null : data, lesson: name });
    return this.#begin(lesson(name, data));
  }

  async #begin(jobs) {
    await this.#store.start(jobs);
    const watch = document.getElementById("train-watch");
    if (matchMedia("(max-width: 899px)").matches) watch?.scrollIntoView({ block: "start" });
  }

  async #act(verb) {
    const training = this.#watched();
    if (!training) return;
    if (verb === "forget") await this.#forget(training.id);
    else if (verb !== "draw") await this.#store.command(training.id, verb);
    if (["draw", "forget", "keep"].includes(verb)) await this.#app.refresh().catch(this.#app.fail);
    if (verb === "draw") this.#app.state.push({ tab: "draw", model: training.model });
    const kept = verb === "keep" && this.#store.get(training.id)?.kept;
    if (kept) this.#app.announce(t("train.kept", { name: kept }));
  }

  async #forget(id) {
    this.#activations.stop(); // else it would ask for a model that is no more
    await this.#store.forget(id);
    this.#set({ training: null });
    if (!this.#watched()) document.getElementById("train-start")?.focus();
  }

  #watched() {
    return this.#store.get(this.#get("training")) ?? this.#store.running() ?? this.#store.all().at(-1) ?? null;
  }

  #hidden() {
    return new Set((this.#get("hidden") ?? "").split(",").filter(Boolean));
  }

  #showRun(id, shown) {
    const hidden = this.#hidden();
    if (shown) hidden.delete(id);
    else hidden.add(id);
    this.#set({ hidden: [...hidden].join(",") || null });
  }

  #point(at) {
    if (at === this.#at) return;
    this.#at = at;
    this.#draw();
  }

  /** The store has news: who began, who ended, what was refused. */
  #changed(begun) {
    const { fail, announce } = this.#app;
    if (this.#store.error !== this.#refused) {
      this.#refused = this.#store.error;
      fail(this.#refused && new Error(this.#refused));
    }
    if (begun) {
      this.#set({ training: begun.id });
      announce(t("train.said.begun", { id: begun.id, name: begun.network }));
    }
    for (const training of this.#store.all()) this.#announce(training);
    this.#draw();
  }

  #announce(training) {
    const { announce, refresh, fail } = this.#app;
    const { id, status, error } = training;
    const before = this.#statuses.get(id);
    this.#statuses.set(id, status);
    if (before === status || before === undefined) return;
    refresh().catch(fail); // the choosers of models know of it, or no more
    if (alive(training)) return;
    const accuracy = figure(training.history.at(-1)?.test_acc);
    announce(t(`train.said.${status}`, { id, error, accuracy }));
  }

  /** Draws all in the browser's next frame, however much news there is before it. */
  #draw() {
    if (this.#removed || this.#frame || !this.#data) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#drawNow();
    });
  }

  #drawNow() {
    const { form, watch, panels, runs, epochs, live, liveBox } = this.#parts;
    const all = this.#store.all();
    const names = namesOf(all, this.#offers);
    const watched = this.#watched();
    const hidden = this.#hidden();
    const rows = all.map((training, i) => ({
      training, name: names[i], slot: this.#store.slot(training.id),
      shown: !hidden.has(training.id), watched: training === watched,
    }));
    const ready = this.#ready();
    form.update(this.#fields(), this.#data, { busy: this.#store.busy(), lesson: ready.lesson, data: ready.data });
    watch.update(watched, { name: names[all.indexOf(watched)] ?? "", waiting: this.#store.waiting(), ...ready });
    runs.update(rows, this.#at);
    const shown = rows.filter((row) => row.shown);
    panels.update(shown, this.#at, classesOf(shown.length ? shown.map((row) => row.training.data) : [ready.data], this.#data));
    liveBox.hidden = !watched;
    if (!watched?.weights) live.clear();
    if (!watched) return;
    if (epochs.closest("details")?.open) showEpochs(epochs, watched);
    this.#activations.want(watched, this.#stored(watched));
  }

  /** What a press of Start begins: the lesson, its data, the names of its trainings. */
  #ready() {
    const name = this.#lesson();
    const data = lessonData(request(this.#fields()).data, this.#data);
    const jobs = name ? namesOf(lesson(name, data), /** @type {Networks} */ (this.#offers)) : [];
    return { lesson: name, data, jobs };
  }

  #stored(training) {
    const model = this.#app.models.models.find((one) => one.name === training.model);
    return model?.stored ?? DIGIT;
  }

  #seen(view) {
    const { state, theme } = this.#app;
    if (this.#removed || view.training.id !== this.#watched()?.id) return;
    this.#parts.live.show(view, { dark: theme.dark, drawn: SHEET.some((key) => state.get(key)) });
  }
}
