/** Where a unit's gradient comes from, and what one step makes of a kernel, computed here again. */

import { element } from "../core/elements.js";
import { t } from "../core/texts.js";
import { placeText } from "../network/names.js";
import { told } from "./digits.js";
import { largest, namedGrid, numberCell, sign } from "./grids.js";
import { growing, numbers, verdict } from "./parts.js";
import { exactSum } from "./sum.js";

/** @import { GradientAnswer, StepAnswer } from "../types.d.ts" */

const ROWS = { first: 8, step: Infinity };
const AGREE = "draw.same-close"; // but for rounding

/**
 * @param {GradientAnswer} answer of /v1/backward
 * @returns {{total: number, same: boolean}} the sum of its terms, and whether it is the gradient.
 */
export function addGradient({ terms, gradient }) {
  return addProducts(terms.map((term) => term.gradient * term.weight), gradient ?? NaN);
}

/** Adds products up. @returns {{total: number, same: boolean}} `same`: what was said, but for rounding. */
function addProducts(products, said) {
  const total = exactSum(products);
  const size = products.reduce((sum, product) => sum + Math.abs(product), 0);
  return { total, same: Math.abs(total - said) <= 1e-12 * size };
}

/**
 * @param {GradientAnswer} answer of /v1/backward
 * @returns {HTMLElement[]} how the gradient of a unit comes about.
 */
export function explainGradient(answer) {
  if (answer.gradient === null) return [element("p", {}, t("draw.story-no-gradient"))];
  if (answer.output) return [element("p", {}, t("backward.output")), equation(answer, t("backward.share"))];
  if (!answer.terms.length) return [element("p", {}, t(answer.gradient === 0 ? "backward.none" : "backward.other"))];
  const story = element("p", {}, t(answer.terms.length === 1 ? "backward.one" : "backward.sum", { count: answer.terms.length, layers: [...new Set(answer.terms.map((term) => term.layer))].join(", ") }));
  return [story, equation(answer, t("draw.sum-of", { count: answer.terms.length })), termTable(answer.terms)];
}

function equation(answer, name) {
  const { total, same } = addGradient(answer);
  return numbers({ "data-sum": total, "data-same": String(same) },
    `${name} `, element("b", {}, `= ${told(total)} `), verdict(same, AGREE));
}

function termTable(terms) {
  const heads = ["unit", "gradient", "weight", "product"].map((key) =>
    element("th", { scope: "col", class: key === "unit" ? null : "number" }, t(`backward.${key}`)));
  const sorted = [...terms].sort((a, b) => Math.abs(b.gradient * b.weight) - Math.abs(a.gradient * a.weight));
  const row = (term) => element("tr", {}, element("th", { scope: "row" }, `${term.layer}: ${placeText(term.unit)}`),
    ...[term.gradient, term.weight, term.gradient * term.weight].map(numberCell));
  const body = element("tbody");
  const table = element("table", { class: "data terms" }, element("thead", {}, element("tr", {}, ...heads)), body);
  return element("div", { class: "growing" }, table, growing(body, sorted, ROWS, "draw.more-terms", row));
}

/**
 * @param {StepAnswer} step of /v1/step
 * @returns {{same: boolean, total: number, equal: boolean}} whether each weight less the rate times its
 *   gradient is the weight after the step; the sum of the marked weight's terms, and whether it is its gradient.
 */
export function addStep({ before, gradient, after, rate, weight }) {
  const flat = (planes) => planes.flat(Infinity);
  const [old, slope, fresh] = [before, gradient, after].map(flat);
  const same = old.every((value, i) => Math.abs(value - rate * slope[i] - fresh[i]) <= 1e-12 * Math.max(Math.abs(value), Math.abs(fresh[i])));
  const sum = addProducts(weight.seen.map((value, i) => value * weight.slopes[i]), weight.gradient);
  return { same, total: sum.total, equal: sum.same };
}

/**
 * @param {StepAnswer} step of /v1/step
 * @returns {HTMLElement[]} the kernel before and after one step.
 */
export function explainStep(step) {
  const { before, gradient, after, rate, weight } = step;
  const { same, total, equal } = addStep(step);
  const part = (key, planes) =>
    namedGrid(t(`backward.${key}`), planes[weight.plane], { scale: largest(planes), marked: weight.at });
  const [r, c] = weight.at;
  const value = (planes) => told(planes[weight.plane][r][c]);
  return [
    element("h3", {}, t("backward.step", { layer: step.layer, map: step.unit[0] })),
    element("p", {}, t("backward.step-how", { rate })),
    element("div", { class: "line step" }, part("before", before), sign(`\u2212 ${rate} \u00d7`), part("slope", gradient), sign("="), part("after", after)),
    numbers({ "data-step": String(same) },
      `${value(before)} \u2212 ${rate} \u00d7 ${value(gradient)} `, element("b", {}, `= ${value(after)} `), verdict(same, AGREE)),
    numbers({ "data-weight-sum": total },
      `${t("backward.weight-sum", { count: weight.seen.length })} `, element("b", {}, `= ${told(total)} `), verdict(equal, AGREE)),
  ];
}
