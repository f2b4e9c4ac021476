/** The controls of a training: draws fields, tells what was changed. */

import { choiceName, createControl } from "../core/control.js";
import { button, element, say } from "../core/elements.js";
import { t } from "../core/texts.js";
import { lessonWhy } from "./names.js";
import { LESSONS } from "./plan.js";

/** @import { DataSet, Field, FormHandlers } from "../types.d.ts" */

const RATES = [0.01, 0.03, 0.1, 0.3, 0.5, 0.9];

/** The form. What it shows comes by `update`, and only then can it be used. */
export class Form {
  #on;
  #data;
  #controls = new Map();
  #groups = {};
  #names = "";
  #start;
  #clear;
  #lessons = new Map();
  #busy;
  #settings;
  #touched = false;

  /**
   * @param {FormHandlers} on
   */
  constructor(root, on) {
    this.#on = on;
    const folded = (group) => element("details", { id: `train-more-${group}` },
      element("summary", {}, t(`train.form.${group}`)), this.#group(group));
    this.#start = button(t("train.start"), {
      type: "submit", class: "primary large", id: "train-start", disabled: true,
    });
    this.#clear = button(t("train.reset.form"), {
      class: "quiet", id: "train-clear", disabled: true, onclick: on.clear,
    });
    this.#busy = element("p", { class: "muted small", id: "train-busy" });
    const submit = (event) => {
      event.preventDefault();
      on.start();
    };
    this.#settings = element("details", { id: "train-settings" }, element("summary", {}, t("train.form")),
      this.#group("main"), folded("network"), folded("more"), this.#clear);
    root.append(
      element("form", { id: "train-form", "aria-label": t("train.form"), onsubmit: submit },
        element("div", { class: "go" }, this.#start, this.#busy), this.#lessonList(), this.#settings),
      element("datalist", { id: "train-rates" }, ...RATES.map((rate) => element("option", { value: rate }))),
    );
  }

  /**
   * Shows the fields as they are.
   * @param {Field[]} fields
   * @param {DataSet[]} data of /v1/data
   * @param {{busy: boolean, lesson: string | null, data: string}} now `data`: of the lesson
   */
  update(fields, data, now) {
    this.#data = data;
    const names = fields.map((field) => `${field.name}:${field.choices}`).join();
    if (names !== this.#names) this.#build(fields);
    this.#names = names;
    for (const field of fields) {
      const control = this.#controls.get(field.name);
      control.show(field);
      if (field.name === "data") control.note(this.#here(field.value) ? "" : t("train.downloads"));
    }
    for (const [name, made] of this.#lessons) {
      made.disabled = now.busy;
      made.setAttribute("aria-pressed", String(name === now.lesson));
      say(/** @type {Element} */ (made.lastElementChild), lessonWhy(name, now.data));
    }
    this.#start.disabled = now.busy;
    this.#clear.disabled = false;
    say(this.#start, `\u25b6 ${t(now.lesson ? "train.start.lesson" : "train.start")}`);
    if (!this.#touched && fields.some((field) => field.given) && !now.lesson) this.#settings.open = this.#touched = true;
    say(this.#busy, now.busy ? t("train.busy") : "");
  }

  #group(name) {
    this.#groups[name] = element("div", { class: `fields fields-${name}` });
    return this.#groups[name];
  }

  #lessonList() {
    const lessons = Object.keys(LESSONS).map((name) => {
      const made = element("button", {
        type: "button", class: "lesson", id: `lesson-${name}`, disabled: true,
        onclick: () => this.#on.lesson(name),
      }, element("b", {}, t(`train.lesson.${name}`)), element("span", {}, t(`train.lesson.${name}.why`)));
      this.#lessons.set(name, made);
      return made;
    });
    return element("details", { id: "train-lessons", open: matchMedia("(min-width: 900px)").matches },
      element("summary", {}, t("train.lessons")),
      element("p", { class: "muted small" }, t("train.lessons.why")),
      element("div", { class: "lessons" }, ...lessons));
  }

  #build(fields) {
    this.#controls.clear();
    for (const [name, place] of Object.entries(this.#groups)) {
      const own = fields.filter((field) => field.group === name);
      place.replaceChildren(...own.map((field) => this.#control(field)));
      const folded = place.closest("details");
      if (folded) folded.hidden = !own.length;
    }
  }

  #control(field) {
    const made = createControl(field, {
      id: `field-${field.name}`,
      called: (choice) => this.#name(field, choice),
      change: (value) => this.#on.change(field.name, value),
    });
    if (field.name === "lr") made.input.setAttribute("list", "train-rates");
    if (field.name === "limit") made.input.setAttribute("placeholder", t("train.all"));
    this.#controls.set(field.name, made);
    return made.node;
  }

  #name(field, choice) {
    if (field.name === "data" && !this.#here(choice)) return t("train.download", { data: choice });
    return choiceName(choice);
  }

  #here(name) {
    return this.#data.find((one) => one.name === name)?.here ?? true;
  }
}
