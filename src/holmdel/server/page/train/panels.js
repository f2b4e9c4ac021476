/** The three panels of curves: one metric each, all runs in each, one epoch pointed at in all. */

import { Curves } from "./curves.js";
import { element } from "../core/elements.js";
import { figure } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { METRICS, NAMES, epochsOf, figures, series } from "./series.js";

/** @import { Metric, Training } from "../types.d.ts" */
/** The panels, together a slider over the epochs. */
export class Panels {
  #onPoint;
  /** @type {Map<Metric, Curves>} */
  #panels = new Map();
  #slider;
  /** @type {number | null} */
  #at = null;
  #epochs = 1;

  /** @param {(at: number | null) => void} onPoint is told the epoch that is pointed at */
  constructor(root, onPoint) {
    this.#onPoint = onPoint;
    this.#slider = element("div", {
      id: "train-plots", class: "plots", role: "slider", tabindex: "0", "aria-label": t("train.curves.how"),
      "aria-valuemin": 1, onkeydown: (event) => this.#key(event), onblur: () => onPoint(null),
    });
    for (const metric of NAMES) {
      const place = element("div", { class: "plot", id: `curve-${metric}` });
      this.#slider.append(element("figure", {}, element("figcaption", {}, t(`train.${metric}`)), place));
      this.#panels.set(metric, new Curves(place, onPoint));
    }
    root.append(this.#slider);
  }

  /**
   * Draws runs.
   * @param {{training: Training, slot: number}[]} runs
   * @param {number | null} at the epoch that is pointed at
   * @param {number | null} classes that all of them tell apart, where that is one number
   */
  update(runs, at, classes) {
    this.#at = at;
    const trainings = runs.map((run) => run.training);
    this.#epochs = epochsOf(trainings);
    for (const [metric, panel] of this.#panels) {
      const { bounds, span, first, chance } = METRICS[metric];
      panel.draw({
        series: runs.map((run) => ({ slot: run.slot, ...series(run.training, metric) })),
        epochs: this.#epochs,
        at,
        bounds,
        span,
        first,
        chance: classes ? { value: chance(classes), label: t("train.chance") } : null,
        label: t("train.axis"),
      });
    }
    this.#tell(trainings, at);
  }

  /** Ends the panels' watch over their widths. */
  remove() {
    for (const panel of this.#panels.values()) panel.remove();
  }

  #key(event) {
    const now = this.#at ?? (event.key === "ArrowLeft" ? this.#epochs + 1 : 0);
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
      Home: 1, End: this.#epochs, Escape: null }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#at = to === null ? null : Math.min(Math.max(to, 1), this.#epochs); // before the next key
    this.#onPoint(this.#at);
  }

  /** Has a screen reader know the epoch and its values. */
  #tell(trainings, at) {
    const shown = at ?? this.#epochs;
    const values = trainings.map((training) => {
      const found = figures(training, at);
      const texts = NAMES.map((metric) => [metric, figure(found?.[metric])]);
      return found ? t("train.said.run", { id: training.id, ...Object.fromEntries(texts) }) : null;
    });
    const said = values.filter(Boolean).join("; ") || t("train.none.at");
    const text = t("train.said.at", { epoch: shown, values: said });
    const wanted = { "aria-valuemax": this.#epochs, "aria-valuenow": shown, "aria-valuetext": text };
    for (const [name, value] of Object.entries(wanted)) {
      if (this.#slider.getAttribute(name) !== String(value)) this.#slider.setAttribute(name, String(value));
    }
  }
}
