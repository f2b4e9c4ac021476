/** From logits to a probability, as a sum that is computed here again. */

import { element } from "../core/elements.js";
import { t } from "../core/texts.js";
import { told } from "./digits.js";
import { numbers, verdict } from "./parts.js";

/**
 * @param {number[]} logits
 * @returns {{powers: number[], total: number, shares: number[]}} e to each, less the largest; their
 *   sum; and what each is of it.
 */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - most));
  const total = powers.reduce((sum, one) => sum + one, 0);
  return { powers, total, shares: powers.map((one) => one / total) };
}

/**
 * @param {{classes: string[], logits: number[], probabilities: number[]}} answer
 * @param {number} index of the class
 * @returns {HTMLElement[]} how its probability comes about.
 */
export function explainSoftmax({ classes, logits, probabilities }, index) {
  if (logits.some((z) => !Number.isFinite(z))) return [element("p", {}, t("draw.story-no-number"))];
  const { powers, total, shares } = softmax(logits);
  const same = Math.abs(shares[index] - probabilities[index]) <= 1e-12;
  const line = numbers({ "data-sum": shares[index], "data-same": String(same) },
    `e^(${told(logits[index])} \u2212 ${told(Math.max(...logits))}) / ${told(total)} = ${told(powers[index])} / ${told(total)} `,
    element("b", {}, `= ${told(shares[index])} `), verdict(same, "draw.same-close"));
  return [element("p", {}, t("draw.story-softmax")), line, table(classes, logits, powers, shares, index)];
}

function table(classes, logits, powers, shares, index) {
  const heads = ["class", "logit", "power", "share"].map((key) =>
    element("th", { scope: "col", class: key === "class" ? null : "number" }, t(`draw.softmax-${key}`)));
  const rows = classes.map((label, i) => element("tr", { class: i === index ? "picked" : null },
    element("th", { scope: "row" }, label),
    ...[logits[i], powers[i], shares[i]].map((value) => element("td", { class: "number" }, told(value)))));
  return element("table", { class: "data terms softmax" }, element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows));
}
