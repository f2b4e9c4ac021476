/** How a unit's value comes about, in words and numbers, and that it is this value. */

import { button, element, say } from "/page/draw-elements.js";
import { curve } from "/page/unit-curve.js";
import { largest, numberGrid, productLine, termTable } from "/page/unit-grids.js";
import { FUNCTIONS, addUp, digits, fixed, placesOf, strongest, termsOf } from "/page/unit-sum.js";

const FIRST = { lines: 2, terms: 12 };
const MORE = { lines: 8, terms: 100 };

const STORIES = {
  convolution: sumStory,
  average: sumStory,
  linear: linearStory,
  maximum: maximumStory,
  activation: activationStory,
};

/**
 * @param {object} unit the answer of /v1/unit.
 * @param {(key: string, values?: object) => string} t
 * @returns {HTMLElement[]} how it comes about.
 */
export function storyOf(unit, t) {
  if (unit.value === null) return [element("p", {}, t("draw.story-no-number"))];
  const story = STORIES[unit.operation];
  if (story && unit.patch) return story(unit, t);
  const { layer, window } = unit.before;
  const known = window ? "draw.story-place" : "draw.story-other";
  return [element("p", {}, t(layer ? known : "draw.story-unknown", { layer }))];
}

function sumStory(unit, t) {
  const terms = termsOf(unit);
  const lines = strongest(unit);
  const { patch, kernel, before } = unit;
  const products = patch.map((plane, c) =>
    plane.map((row, r) => row.map((x, i) => x * kernel[c][r][i])),
  );
  const scales = { patch: largest(patch), kernel: largest(kernel), products: largest(products) };
  const words = {
    layer: before.layer,
    count: lines.length,
    height: patch[0].length,
    width: patch[0][0].length,
  };
  const convolution = lines.length === 1 ? "draw.story-one-map" : "draw.story-convolution";
  const key = unit.operation === "average" ? "draw.story-average" : convolution;
  const list = growing(lines.length, FIRST.lines, MORE.lines, "draw.more-channels", t, (from, to) =>
    lines.slice(from, to).map((one) => productLine(unit, one, scales, t)),
  );
  return [element("p", {}, t(key, words)), equation(unit, terms, t), list, allDigits(terms, t)];
}

function linearStory(unit, t) {
  const terms = termsOf(unit);
  const count = Math.min(FIRST.terms, terms.length);
  const table = element("div", { class: "term-box" });
  let shown = count;
  const more = button("", {
    class: "small more-terms",
    onclick: () => fill((shown += MORE.terms)),
  });
  const fill = (wanted) => {
    shown = Math.min(wanted, terms.length);
    table.replaceChildren(termTable(terms, shown, t));
    more.hidden = shown === terms.length;
    say(more, t("draw.more-terms", { count: terms.length - shown }));
  };
  fill(count);
  const words = { layer: unit.before.layer, count: terms.length };
  return [element("p", {}, t("draw.story-linear", words)), equation(unit, terms, t), table, more];
}

function maximumStory(unit, t) {
  const [plane, row, column] = unit.argmax;
  const grid = numberGrid(unit.patch[plane], {
    scale: largest(unit.patch),
    label: t("draw.part-patch"),
    marked: [row, column],
  });
  const best = unit.patch[plane][row][column];
  const words = {
    layer: unit.before.layer,
    count: unit.patch[plane].length * unit.patch[plane][0].length,
  };
  return [
    element("p", {}, t("draw.story-maximum", words)),
    grid,
    element(
      "p",
      { class: "equation mono" },
      `max = ${digits(best)} `,
      verdict(best === unit.value, t),
    ),
  ];
}

function activationStory(unit, t) {
  const given = [unit.patch].flat(3)[0];
  const rule = FUNCTIONS[unit.function];
  const name = unit.function ?? "f";
  const line = element(
    "p",
    { class: "equation mono" },
    `${name}(${digits(given)}) = ${digits(unit.value)} `,
  );
  if (rule)
    line.append(
      verdict(Math.abs(rule(given) - unit.value) <= 1e-15 * Math.max(1, Math.abs(given)), t),
    );
  const parts = [
    element("p", {}, t("draw.story-activation", { layer: unit.before.layer, name })),
    line,
  ];
  if (rule) parts.push(curve(rule, given, unit.value, name));
  return parts;
}

/** Makes the line of a sum, with what came out here. */
function equation(unit, terms, t) {
  const { products, total, same } = addUp(unit, terms);
  const text = (number) => fixed(number, placesOf(terms));
  const bias =
    unit.bias === null ? [] : [element("span", {}, ` + ${t("draw.bias")} ${text(unit.bias)}`)];
  return element(
    "p",
    { class: "equation mono", "data-sum": total, "data-same": String(same) },
    element("span", {}, `${t("draw.sum-of", { count: terms.length })} ${text(products)}`),
    ...bias,
    element("b", {}, ` = ${text(total)} `),
    verdict(same && text(total) === text(unit.value), t),
  );
}

function verdict(same, t) {
  return element(
    "span",
    { class: `badge ${same ? "good" : "bad"}` },
    t(same ? "draw.same" : "draw.other"),
  );
}

/** Makes a list of which more is shown on request. */
function growing(length, first, step, key, t, make) {
  const list = element("div", { class: "lines" }, ...make(0, first));
  let shown = Math.min(first, length);
  const more = button("", {
    class: "small more-channels",
    onclick: () => {
      list.append(...make(shown, shown + step));
      shown = Math.min(length, shown + step);
      update();
    },
  });
  const update = () => {
    more.hidden = shown === length;
    say(more, t(key, { count: length - shown }));
  };
  update();
  return element("div", { class: "growing" }, list, more);
}

function allDigits(terms, t) {
  const box = element(
    "details",
    { class: "all-digits" },
    element("summary", {}, t("draw.all-digits", { count: terms.length })),
  );
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(termTable(terms, terms.length, t));
  });
  return box;
}
