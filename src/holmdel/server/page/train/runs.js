/** The runs and their curves: the legend, which is the list of the runs, and the table of epochs. */

import { element, say, svg } from "../core/elements.js";
import { figure, grouped, short } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { METRICS, NAMES, figures } from "./series.js";

/** @import { RunRow, Training } from "../types.d.ts" */

const PART = " \u00b7 "; // between the parts of a name

/** The list of runs: a checkbox, the curve's colour and dashes, what it is, its figures. */
export class Runs {
  #on;
  #body;
  #rows = new Map();
  #at;

  /** @param {{show: (id: string, shown: boolean) => void, watch: (id: string) => void}} on */
  constructor(root, on) {
    this.#on = on;
    this.#body = element("tbody");
    this.#at = element("span", { class: "muted", id: "train-at" });
    const heads = NAMES.map((metric) =>
      element("th", { scope: "col", class: "number" }, t(`train.short.${metric}`)));
    root.append(element("table", { class: "data", id: "train-runs", "aria-label": t("train.runs") },
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, `${t("train.runs")} `, this.#at), ...heads)),
      this.#body));
  }

  /**
   * Shows the runs.
   * @param {RunRow[]} runs
   * @param {number | null} at the epoch that is pointed at; null for the last
   */
  update(runs, at) {
    const known = new Set(runs.map((run) => run.training.id));
    for (const [id, row] of this.#rows) {
      if (known.has(id)) continue;
      row.node.remove();
      this.#rows.delete(id);
    }
    const names = apart(runs.map((run) => run.name.split(PART)));
    runs.forEach((run, i) => {
      const { id } = run.training;
      if (!this.#rows.has(id)) this.#add(id, run.slot);
      this.#show(this.#rows.get(id), run, names[i], at);
    });
    say(this.#at, at === null ? t("train.last") : t("train.at", { epoch: at }));
  }

  #add(id, slot) {
    const check = element("input", {
      type: "checkbox", id: `run-${id}-shown`, "aria-label": t("train.show", { id }),
      onchange: (event) => this.#on.show(id, event.target.checked),
    });
    const name = element("button", {
      type: "button", class: "link", id: `run-${id}-watch`, title: t("train.watch", { id }),
      onclick: () => this.#on.watch(id),
    });
    const status = element("span", { class: "muted" });
    const cells = NAMES.map((metric) => element("td", { class: "number", "data-metric": metric }));
    const head = element("th", { scope: "row" },
      element("div", { class: "run-head" }, check, swatch(slot),
        element("span", {}, name, " ", status)));
    const node = element("tr", { id: `run-${id}` }, head, ...cells);
    this.#body.append(node);
    this.#rows.set(id, { node, check, name, status, cells });
  }

  #show(row, run, name, at) {
    const found = figures(run.training, at);
    row.check.checked = run.shown;
    say(row.name, `${run.training.id}: ${name}`);
    row.name.title = `${t("train.watch", { id: run.training.id })}: ${run.name}`;
    row.name.setAttribute("aria-pressed", String(run.watched));
    say(row.status, t(`train.status.${run.training.status}`));
    NAMES.forEach((metric, i) => say(row.cells[i], figure(found?.[metric])));
    row.node.classList.toggle("watched", run.watched);
  }
}

/**
 * Shows the epochs of a training as rows of a table.
 * @param {HTMLTableElement} table
 * @param {Training} training
 */
export function showEpochs(table, training) {
  const heads = ["epoch", "loss", "train_acc", "test_acc", "lr", "speed", "seconds"].map((name) =>
    element("th", { scope: "col", class: "number" }, t(name in METRICS ? `train.short.${name}` : `train.col.${name}`)));
  const rows = training.history.map((epoch) => {
    const cells = [figure(epoch.loss), figure(epoch.train_acc), figure(epoch.test_acc), short(epoch.lr),
      grouped(Math.round(epoch.examples_per_sec)), epoch.seconds.toFixed(1)];
    return element("tr", {}, element("th", { scope: "row", class: "number" }, String(epoch.epoch)),
      ...cells.map((cell) => element("td", { class: "number" }, cell)));
  });
  table.replaceChildren(
    element("caption", {}, t("train.epochs.caption", { id: training.id })),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows));
}

/** Joins the parts of each name, less those that all of several begin with; no line ends inside one. */
function apart(names) {
  const alike = (at) => names.length > 1 && names.every((parts) => at < parts.length - 1 && parts[at] === names[0][at]);
  let same = 0;
  while (alike(same)) same++;
  return names.map((parts) => parts.slice(same).map((part) => part.replaceAll(" ", "\u00a0")).join(PART));
}

function swatch(slot) {
  const line = svg("path", { d: "M1,5H25", class: `run run-${slot}` });
  return svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, line);
}
