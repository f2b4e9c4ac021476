/** The status of the chosen training, and the buttons that act on it. */

import { button, element, say } from "../core/elements.js";
import { grouped } from "../core/numbers.js";
import { told } from "../core/errors.js";
import { orElse, t } from "../core/texts.js";
import { lessonWhy } from "./names.js";
import { alive } from "./store.js";
import { share } from "./series.js";

const KIND = { running: "good", finished: "good", failed: "bad" };

/** The bar above the curves. */
export class Status {
  #buttons = {};
  #parts = {};
  #root;

  /** @param {{act: (verb: string) => void, draw: (model: string) => void}} on */
  constructor(root, on) {
    this.#root = root;
    for (const verb of ["back", "pause", "resume", "batch", "epoch", "stop", "keep", "draw", "forget"]) {
      const id = verb === "epoch" ? "train-one-epoch" : `train-${verb}`;
      const kind = ["pause", "resume"].includes(verb) ? "small primary" : "small";
      this.#buttons[verb] = button(t(`train.${verb}`), { class: kind, id, title: orElse(`train.${verb}.help`, ""), onclick: () => on.act(verb) });
    }
    const onclick = (event) => {
      event.preventDefault();
      on.draw(keptDraw.dataset.model ?? "");
    };
    const named = { id: "train-kept-draw", class: "button small", href: "#" };
    const keptDraw = element("a", { ...named, onclick });
    this.#parts = {
      title: element("h2", { id: "train-watched" }),
      status: element("span", { class: "badge", id: "train-status" }),
      epoch: element("span", { id: "train-epoch" }),
      speed: element("span", { id: "train-speed" }),
      left: element("span", { id: "train-left" }),
      next: element("span", { id: "train-next" }),
      progress: element("progress", {
        id: "train-progress", max: 1, value: 0, "aria-label": t("train.progress"),
      }),
      notes: element("ul", { id: "train-notes" }),
      noteCount: element("summary"),
      error: element("p", { id: "train-error", class: "problem" }),
      kept: element("span", { id: "train-kept" }),
      keptDraw,
      none: element("div", { class: "ready", id: "train-none" }),
    };
    this.#place();
  }

  #place() {
    const { title, status, epoch, speed, left, next, progress, notes, noteCount, error, kept, keptDraw, none } = this.#parts;
    this.#parts.some = element("div", { class: "standing" },
      element("div", { class: "head" }, title, status),
      progress,
      element("div", { class: "row" },
        element("div", { class: "row facts number" }, epoch, speed, left, next),
        ...Object.values(this.#buttons)),
      element("p", { class: "row" }, kept, keptDraw),
      error, (this.#parts.noteBox = element("details", { id: "train-notes-box" }, noteCount, notes)));
    this.#root.append(none, this.#parts.some);
  }

  /**
   * Shows a training.
   * @param {{name: string, waiting: number, lesson: string | null, data: string, jobs: string[]}} about `lesson`, `data`
   *   and `jobs`: what Start begins
   */
  update(training, about) {
    this.#parts.none.hidden = training !== null;
    this.#parts.some.hidden = training === null;
    if (!training) return this.#ready(about);
    const { title, status, progress } = this.#parts;
    say(title, `${t("train.run", { id: training.id })}: ${about.name}`);
    say(status, t(`train.status.${training.status}`));
    status.className = `badge ${KIND[training.status] ?? ""}`.trim();
    progress.value = share(training);
    this.#facts(training, about.waiting);
    this.#show(training);
    this.#words(training);
  }

  /** Says what is ready to be started. */
  #ready({ lesson, data, jobs }) {
    const key = JSON.stringify([lesson, data, jobs]);
    if (this.#parts.none.dataset.shown === key) return;
    this.#parts.none.dataset.shown = key;
    if (!lesson) return this.#parts.none.replaceChildren(element("p", {}, t("train.none")));
    const why = lessonWhy(lesson, data);
    this.#parts.none.replaceChildren(
      element("h2", {}, t("train.ready", { lesson: t(`train.lesson.${lesson}`), data })),
      element("p", { class: "large" }, why),
      element("ol", {}, ...jobs.map((job) => element("li", {}, job))));
  }

  #facts(training, waiting) {
    const { epoch, speed, left, next } = this.#parts;
    const now = training.progress;
    const last = training.history.at(-1);
    const rate = alive(training) ? now?.examples_per_sec : last?.examples_per_sec;
    say(epoch, now ? t("train.epoch.of", now) : "");
    say(speed, rate ? t("train.speed", { speed: grouped(Math.round(rate)) }) : "");
    say(left, now && alive(training) ? t("train.left", { time: duration(now.seconds_left) }) : "");
    say(next, waiting ? t("train.next", { count: waiting }) : "");
  }

  #show(training) {
    const running = alive(training);
    const ended = ["finished", "stopped"].includes(training.status);
    const { back, pause, resume, batch, epoch, stop, keep, draw, forget } = this.#buttons;
    const buttons = Object.values(this.#buttons);
    const focused = buttons.find((one) => one === document.activeElement);
    pause.hidden = training.status !== "running";
    resume.hidden = training.status !== "paused";
    stop.hidden = back.hidden = batch.hidden = epoch.hidden = !running;
    back.disabled = !training.back;
    batch.disabled = epoch.disabled = training.status === "preparing";
    keep.hidden = !ended || !training.weights || training.kept !== null;
    draw.hidden = !training.weights || training.kept !== null;
    if (focused?.hidden) buttons.find((one) => !one.hidden).focus();
    say(forget, t(running ? "train.forget" : "train.forget.ended"));
  }

  #words(training) {
    const { notes, noteBox, noteCount, error, kept, keptDraw } = this.#parts;
    say(noteCount, t("train.notes", { count: training.notes.length }));
    noteBox.hidden = !training.notes.length;
    say(error, training.error ? told(training.error) : "");
    error.hidden = !training.error;
    if (notes.children.length !== training.notes.length || notes.lastChild?.textContent !== training.notes.at(-1)) {
      notes.replaceChildren(...training.notes.map((note) => element("li", {}, note)));
    }
    kept.parentElement.hidden = training.kept === null;
    if (training.kept === null) return;
    say(kept, t("train.kept", { name: training.kept }));
    say(keptDraw, t("train.kept.draw", { name: training.kept }));
    keptDraw.dataset.model = training.kept;
    keptDraw.href = `#tab=draw&model=${encodeURIComponent(training.kept)}`;
  }
}

/** Returns a duration as the page says it. */
function duration(seconds) {
  const whole = Math.ceil(seconds);
  if (whole < 60) return t("train.seconds", { seconds: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return t("train.minutes", { minutes, seconds: whole % 60 });
  return t("train.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
