/** Small grids of numbers, coloured by value. */

import { element } from "../core/elements.js";
import { brief, digits } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { placeText } from "../network/names.js";
import { told } from "./digits.js";

/** @import { Channel, Unit } from "../types.d.ts" */

const MOST_TEXT = 12; // numbers across: in more, each is too small to be read

/**
 * Makes a grid of numbers.
 * @param {number[][]} rows
 * @param {{scale: number, label: string, marked?: number[] | null}} options `scale` is the value
 *   that gets the full colour, `marked` the [row, column] of one that stands out.
 * @returns {HTMLElement}
 */
export function numberGrid(rows, { scale, label, marked = null }) {
  const across = rows[0].length;
  const cells = rows.flatMap((row, r) =>
    row.map((value, c) => {
      const text = across > MOST_TEXT ? "" : brief(value);
      const cell = element("span", { title: digits(value) }, text);
      const share = Math.min(1, Math.abs(value) / (scale || 1));
      cell.className = value < 0 ? "negative" : "positive";
      cell.style.setProperty("--share", `${Math.round(70 * share)}%`);
      if (marked && marked[0] === r && marked[1] === c) cell.classList.add("marked");
      return cell;
    }),
  );
  const grid = element("div", { class: "numbers", role: "img", "aria-label": label }, ...cells);
  grid.style.setProperty("--across", String(across));
  grid.classList.toggle("tiny", across > MOST_TEXT);
  grid.classList.toggle("dense", across > 5 && across <= MOST_TEXT);
  return grid;
}

/** @param {number[][][]} planes @returns {number} the largest magnitude in them. */
export function largest(planes) {
  let most = 0;
  for (const plane of planes) {
    for (const row of plane) for (const value of row) most = Math.max(most, Math.abs(value));
  }
  return most;
}

/**
 * Makes a grid with its name above.
 * @param {string} label @param {number[][]} rows
 * @param {{scale: number, marked?: number[] | null}} options as for `numberGrid`
 */
export function namedGrid(label, rows, options) {
  const grid = numberGrid(rows, { ...options, label });
  return element("div", { class: "part" }, element("span", { class: "part-name" }, label), grid);
}

/** @param {string} text @returns {HTMLElement} what stands between two grids. */
export function sign(text) {
  return element("span", { class: "sign", "aria-hidden": "true" }, text);
}

/**
 * Makes one line of a sum: patch times kernel gives products.
 * @param {Unit} unit the answer of /v1/unit.
 * @param {Channel} one of `channelsOf`.
 * @param {{patch: number, kernel: number, products: number}} scales the value of the full colour.
 */
export function productLine(unit, one, scales) {
  const { seen, weights, products } = one;
  const part = (name, rows) => namedGrid(t(`draw.part-${name}`), rows, { scale: scales[name] });
  const sum = `${t("draw.subtotal")} ${told(one.sum)}`;
  const total = element("span", { class: "subtotal number", title: digits(one.sum) }, sum);
  const channel = t("draw.channel", { layer: unit.before.layer ?? "", map: one.channel });
  return element(
    "div",
    { class: "line", "data-channel": one.channel },
    element("b", { class: "line-name" }, channel, " ", total),
    part("patch", seen),
    sign("\u00d7"),
    part("kernel", weights),
    sign("="),
    part("products", products),
  );
}

/** @returns {HTMLTableElement} a table of terms, for rows of `termRow`. */
export function termTable(...rows) {
  const heads = ["at", "value", "weight", "product"].map((key) =>
    element("th", { scope: "col" }, t(`draw.term-${key}`)),
  );
  const head = element("thead", {}, element("tr", {}, ...heads));
  return element("table", { class: "data terms" }, head, element("tbody", {}, ...rows));
}

/** @returns {HTMLTableRowElement} one of the terms of `termsOf`. */
export function termRow({ at, seen, weight, product }) {
  return element("tr", {}, element("td", {}, placeText(at)), ...[seen, weight, product].map(numberCell));
}

/** @param {number} value @returns {HTMLTableCellElement} its cell in a table. */
export function numberCell(value) {
  return element("td", { class: "number", title: digits(value) }, told(value));
}
