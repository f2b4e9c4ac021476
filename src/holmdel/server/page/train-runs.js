/** The runs and their curves: the legend, which is the list of the runs, and the table of epochs. */

import { element, say } from "/page/draw-elements.js";
import { METRICS, figures } from "/page/train-series.js";

const SWATCH = "http://www.w3.org/2000/svg";

/** The list of runs: a checkbox, the curve's colour and dashes, what it is, its figures. */
export class Runs {
  #t;
  #on;
  #body;
  #rows = new Map();
  #at;

  /**
   * @param {HTMLElement} root
   * @param {(key: string, values?: object) => string} t
   * @param {{show: (id: string, shown: boolean) => void, watch: (id: string) => void}} on
   */
  constructor(root, t, on) {
    [this.#t, this.#on] = [t, on];
    this.#body = element("tbody");
    this.#at = element("span", { class: "muted", id: "train-at" });
    const heads = Object.keys(METRICS).map((metric) =>
      element("th", { scope: "col", class: "number" }, t(`train.short.${metric}`)));
    root.append(element("table", { class: "data", id: "train-runs", "aria-label": t("train.runs") },
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, `${t("train.runs")} `, this.#at), ...heads)),
      this.#body));
  }

  /**
   * Shows the runs.
   * @param {{training: object, slot: number, shown: boolean, watched: boolean, name: string}[]} runs
   * @param {number | null} at the epoch that is pointed at; null for the last
   */
  update(runs, at) {
    const known = new Set(runs.map((run) => run.training.id));
    for (const [id, row] of this.#rows) {
      if (known.has(id)) continue;
      row.node.remove();
      this.#rows.delete(id);
    }
    for (const run of runs) {
      const { id } = run.training;
      if (!this.#rows.has(id)) this.#add(id, run.slot);
      this.#show(this.#rows.get(id), run, at);
    }
    say(this.#at, at === null ? this.#t("train.last") : this.#t("train.at", { epoch: at }));
  }

  #add(id, slot) {
    const t = this.#t;
    const check = element("input", {
      type: "checkbox", id: `run-${id}-shown`, "aria-label": t("train.show", { id }),
      onchange: (event) => this.#on.show(id, event.target.checked),
    });
    const name = element("button", {
      type: "button", class: "run-name", id: `run-${id}-watch`, title: t("train.watch", { id }),
      onclick: () => this.#on.watch(id),
    });
    const status = element("span", { class: "muted" });
    const cells = Object.keys(METRICS).map((metric) => element("td", { class: "number", "data-metric": metric }));
    const head = element("th", { scope: "row" },
      element("div", { class: "run-head" }, check, swatch(slot),
        element("span", {}, name, " ", status)));
    const node = element("tr", { id: `run-${id}` }, head, ...cells);
    this.#body.append(node);
    this.#rows.set(id, { node, check, name, status, cells });
  }

  #show(row, run, at) {
    const found = figures(run.training, at);
    row.check.checked = run.shown;
    say(row.name, `${run.training.id}: ${run.name}`);
    row.name.setAttribute("aria-pressed", String(run.watched));
    say(row.status, this.#t(`train.status.${run.training.status}`));
    Object.keys(METRICS).forEach((metric, i) => say(row.cells[i], figure(found?.[metric])));
    row.node.classList.toggle("watched", run.watched);
  }
}

/**
 * Shows the epochs of a training as rows of a table.
 * @param {HTMLTableElement} table
 * @param {object} training
 * @param {(key: string, values?: object) => string} t
 */
export function showEpochs(table, training, t) {
  const heads = ["epoch", "loss", "train_acc", "test_acc", "lr", "speed", "seconds"].map((name) =>
    element("th", { scope: "col", class: "number" }, t(name in METRICS ? `train.short.${name}` : `train.col.${name}`)));
  const rows = training.history.map((epoch) => {
    const cells = [figure(epoch.loss), figure(epoch.train_acc), figure(epoch.test_acc), short(epoch.lr),
      Math.round(epoch.examples_per_sec).toLocaleString("en"), epoch.seconds.toFixed(1)];
    return element("tr", {}, element("th", { scope: "row", class: "number" }, String(epoch.epoch)),
      ...cells.map((cell) => element("td", { class: "number" }, cell)));
  });
  table.replaceChildren(
    element("caption", {}, t("train.epochs.caption", { id: training.id })),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows));
}

/**
 * Returns a loss or an accuracy as text.
 * @param {number | undefined} value
 */
export function figure(value) {
  return Number.isFinite(value) ? value.toFixed(3) : "\u2013";
}

function short(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "\u2013";
}

function swatch(slot) {
  const svg = document.createElementNS(SWATCH, "svg");
  for (const [name, value] of Object.entries({ width: 34, height: 10, class: "swatch", "aria-hidden": "true" })) {
    svg.setAttribute(name, value);
  }
  const line = document.createElementNS(SWATCH, "path");
  line.setAttribute("d", "M1,5H33");
  line.setAttribute("class", `run run-${slot}`);
  svg.append(line);
  return svg;
}
