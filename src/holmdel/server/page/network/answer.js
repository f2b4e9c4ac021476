/** What a network says: from its logits by the softmax to probabilities. */

import { createBars } from "../core/bars.js";
import { element, say } from "../core/elements.js";
import { isStrange, percent } from "../core/numbers.js";
import { t } from "../core/texts.js";

/** @import { Activations } from "../types.d.ts" */

/**
 * Makes the answer of a network.
 * @param {(index: number) => void} onClass is told which class's probability is to be explained.
 */
export function createAnswer(onClass) {
  const best = element("strong", { class: "best", "data-best": "" });
  const sure = element("span", { class: "sure number" });
  const top = element("p", { class: "answer-top" }, best, sure);
  const bars = element("div", { class: "answer-bars" });
  const step = element("span", { class: "muted" }, t("draw.softmax-step"));
  const heading = element("h2", { title: t("kind.Softmax.text") }, t("draw.answer"), " ", step);
  const node = element("aside", { class: "answer", "aria-live": "off" }, top, heading, bars);
  const shown = createBars(bars, onClass);
  return {
    node,
    /** Marks the class that is explained; null for none. */
    mark: (index) => shown.mark(index),
    /** @param {Activations} answer @param {boolean} empty whether there is nothing on the sheet. */
    show({ classes, probabilities, found, unknown = null }, empty) {
      empty ||= found === "nothing";
      const given = (i) => (empty ? 0 : probabilities[i]);
      const items = classes.map((label, i) => ({ label, probability: given(i) }));
      const larger = (one, other) => (other.probability > one.probability ? other : one);
      const greatest = items.reduce(larger);
      const strange = !empty && isStrange(probabilities, unknown);
      say(best, empty || strange ? "?" : greatest.label);
      best.dataset.best = empty ? "" : strange ? "unknown" : greatest.label;
      best.classList.toggle("long", greatest.label.length > 2);
      const more = found === "several" ? t("draw.several") : "";
      const named = strange ? t("draw.unknown") : percent(greatest.probability) + more;
      say(sure, empty ? t("draw.nothing") : named);
      shown.update(items);
    },
  };
}
