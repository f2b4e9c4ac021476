/** Small grids of numbers, coloured by value. */

import { element } from "/page/draw-elements.js";
import { brief, digits } from "/page/unit-sum.js";

const MOST_TEXT = 12; // numbers across: in more, each is too small to be read

/**
 * Makes a grid of numbers.
 * @param {number[][]} rows
 * @param {object} options
 * @param {number} options.scale the value that gets the full colour.
 * @param {string} options.label
 * @param {number[]|null} [options.marked] [row, column] of one that stands out.
 * @returns {HTMLElement}
 */
export function numberGrid(rows, { scale, label, marked = null }) {
  const across = rows[0].length;
  const cells = rows.flatMap((row, r) =>
    row.map((value, c) => {
      const cell = element(
        "span",
        { title: digits(value) },
        across > MOST_TEXT ? "" : brief(value),
      );
      const share = Math.min(1, Math.abs(value) / (scale || 1));
      cell.className = value < 0 ? "negative" : "positive";
      cell.style.setProperty("--share", `${Math.round(70 * share)}%`);
      if (marked && marked[0] === r && marked[1] === c) cell.classList.add("marked");
      return cell;
    }),
  );
  const grid = element("div", { class: "numbers", role: "img", "aria-label": label }, ...cells);
  grid.style.setProperty("--across", across);
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
 * Makes one line of a sum: patch times kernel gives products.
 * @param {object} unit the answer of /v1/unit.
 * @param {{plane: number, channel: number, sum: number}} one of `strongest`.
 * @param {object} scales the value of the full colour: {patch, kernel, products}.
 * @param {(key: string, values?: object) => string} t
 */
export function productLine(unit, one, scales, t) {
  const { patch, kernel } = unit;
  const seen = patch[one.plane];
  const weights = kernel[one.plane];
  const products = seen.map((row, r) => row.map((value, c) => value * weights[r][c]));
  const part = (name, rows) =>
    element(
      "div",
      { class: "part" },
      element("span", { class: "part-name" }, t(`draw.part-${name}`)),
      numberGrid(rows, { scale: scales[name], label: t(`draw.part-${name}`) }),
    );
  const sign = (text) => element("span", { class: "sign", "aria-hidden": "true" }, text);
  const total = element(
    "span",
    { class: "subtotal number", title: digits(one.sum) },
    `${t("draw.subtotal")} ${digits(Number(one.sum.toPrecision(6)))}`,
  );
  const name = element("b", { class: "line-name" }, nameOf(unit, one.channel, t), total);
  return element(
    "div",
    { class: "line", "data-channel": one.channel },
    name,
    part("patch", seen),
    sign("\u00d7"),
    part("kernel", weights),
    sign("="),
    part("products", products),
  );
}

/** Returns what a channel of the layer before is called. */
function nameOf({ before }, channel, t) {
  return t("draw.channel", { layer: before.layer ?? "", map: channel + 1 });
}

/**
 * Makes a table of terms, the strongest first.
 * @param {object[]} terms of `termsOf`.
 * @param {number} count how many.
 * @param {(key: string, values?: object) => string} t
 */
export function termTable(terms, count, t) {
  const heads = ["at", "value", "weight", "product"].map((key) =>
    element("th", { scope: "col" }, t(`draw.term-${key}`)),
  );
  const sorted = [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const rows = sorted
    .slice(0, count)
    .map(({ at, seen, weight, product }) =>
      element(
        "tr",
        {},
        element("td", {}, placeText(at, t)),
        ...[seen, weight, product].map((value) =>
          element("td", { class: "number" }, digits(value)),
        ),
      ),
    );
  return element(
    "table",
    { class: "data terms" },
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}

/** @returns {string} where a unit is, counted from 1 as people do: of a map, or of a vector. */
export function placeText(at, t) {
  const [map, row, column] = at.map((value) => value + 1);
  return at.length === 3
    ? t("draw.place", { map, row, column })
    : t("draw.place-unit", { unit: map });
}
