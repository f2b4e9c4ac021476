/** One unit in words and numbers: what it sees, what it does with it, and that this is its value. */

import { button, element, say } from "/page/draw-elements.js";
import { curve } from "/page/unit-curve.js";
import { largest, numberGrid, placeText, productLine, termTable } from "/page/unit-grids.js";
import { createLook } from "/page/unit-look.js";
import { FUNCTIONS, addUp, digits, fixed, placesOf, strongest, termsOf } from "/page/unit-sum.js";

const FIRST = { lines: 2, terms: 12 };
const MORE = { lines: 8, terms: 100 };

/**
 * Makes the panel of the unit that is looked at.
 * @param {object} options
 * @param {(key: string, values?: object) => string} options.t
 * @param {{dark: boolean}} options.theme
 * @param {() => void} options.onPin
 * @param {() => void} options.onClose
 */
export function createUnitView({ t, theme, onPin, onClose }) {
  const title = element("h3", { id: "unit-title" });
  const value = element("output", { class: "unit-value mono", id: "unit-value" });
  const pin = button(t("draw.pin"), { id: "pin", class: "small", "aria-pressed": "false", onclick: onPin });
  const close = button(t("draw.close"), { id: "close-unit", class: "small quiet", onclick: onClose });
  const head = element("div", { class: "unit-head" }, title, value, pin, close);
  const looks = Object.fromEntries(["field", "window", "unit"].map((kind) => [kind, createLook(kind)]));
  const pictures = element("div", { class: "looks" }, ...Object.values(looks).map((look) => look.node));
  const story = element("div", { class: "story" });
  const body = element("div", { class: "unit-body" }, pictures, story);
  const hint = element("p", { class: "unit-hint muted" }, t("draw.unit-hint"));
  const node = element("section", { class: "unit panel", "aria-labelledby": "unit-title", id: "unit" },
    hint, head, body);
  head.hidden = body.hidden = true;
  return {
    node,
    /** Shows the answer of /v1/unit about a unit of one of `layers`. */
    show(unit, layers, pinned) {
      hint.hidden = true;
      head.hidden = body.hidden = false;
      node.classList.add("shown");
      node.dataset.unit = [unit.layer, ...unit.unit].join(".");
      say(title, `${unit.layer} \u00b7 ${unit.kind} \u00b7 ${placeText(unit.unit, t)}`);
      const terms = termsOf(unit);
      say(value, `= ${terms.length ? fixed(unit.value, placesOf(terms)) : digits(unit.value)}`);
      value.dataset.value = unit.value;
      pin.setAttribute("aria-pressed", String(pinned));
      say(pin, t(pinned ? "draw.pinned" : "draw.pin"));
      showLooks(looks, unit, layers, theme.dark, t);
      story.replaceChildren(...storyOf(unit, t));
    },
    hide() {
      hint.hidden = false;
      head.hidden = body.hidden = true;
      node.classList.remove("shown");
      delete node.dataset.unit;
    },
  };
}

function showLooks(looks, unit, layers, dark, t) {
  const { before, field, unit: at } = unit;
  const input = layers.get("input");
  const seen = layers.get(before.layer);
  const channel = before.window ? strongestChannel(unit) : 0;
  looks.field.show(field ? input : null, 0, field, t("draw.look-field"), dark);
  const other = before.layer === "input" || !before.window ? null : seen;
  looks.window.show(other, channel, before.window,
    t("draw.look-window", { layer: before.layer, map: channel + 1 }), dark);
  const own = layers.get(unit.layer);
  const box = { top: at[1], left: at[2], height: 1, width: 1 };
  looks.unit.show(own, at[0], box, t("draw.look-unit", { layer: unit.layer, map: at[0] + 1 }), dark);
}

function strongestChannel(unit) {
  const lines = unit.operation === "convolution" && unit.patch;
  return lines ? strongest(unit)[0].channel : (unit.before.channels[0] ?? 0);
}

const STORIES = {
  convolution: sumStory, average: sumStory, linear: linearStory,
  maximum: maximumStory, activation: activationStory,
};

/** Returns the elements that tell how a unit comes about. */
function storyOf(unit, t) {
  const story = STORIES[unit.operation];
  if (story && unit.patch) return story(unit, t);
  const layer = unit.before.layer;
  return [element("p", {}, layer ? t("draw.story-other", { layer }) : t("draw.story-unknown"))];
}

function sumStory(unit, t) {
  const terms = termsOf(unit);
  const lines = strongest(unit);
  const { patch, kernel, before } = unit;
  const products = patch.map((plane, c) => plane.map((row, r) => row.map((x, i) => x * kernel[c][r][i])));
  const scales = { patch: largest(patch), kernel: largest(kernel), products: largest(products) };
  const words = { layer: before.layer, count: lines.length, height: patch[0].length, width: patch[0][0].length };
  const convolution = lines.length === 1 ? "draw.story-one-map" : "draw.story-convolution";
  const key = unit.operation === "average" ? "draw.story-average" : convolution;
  const list = growing(lines.length, FIRST.lines, MORE.lines, "draw.more-channels", t, (from, to) =>
    lines.slice(from, to).map((one) => productLine(unit, one, scales, t)));
  return [element("p", {}, t(key, words)), equation(unit, terms, t), list, allDigits(terms, t)];
}

function linearStory(unit, t) {
  const terms = termsOf(unit);
  const count = Math.min(FIRST.terms, terms.length);
  const table = element("div", { class: "term-box" });
  let shown = count;
  const more = button("", { class: "small more-terms", onclick: () => fill((shown += MORE.terms)) });
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
    scale: largest(unit.patch), label: t("draw.part-patch"), marked: [row, column],
  });
  const best = unit.patch[plane][row][column];
  const words = { layer: unit.before.layer, count: unit.patch[plane].length * unit.patch[plane][0].length };
  return [element("p", {}, t("draw.story-maximum", words)), grid,
    element("p", { class: "equation mono" }, `max = ${digits(best)} `, verdict(best === unit.value, t))];
}

function activationStory(unit, t) {
  const given = [unit.patch].flat(3)[0];
  const rule = FUNCTIONS[unit.function];
  const name = unit.function ?? "f";
  const line = element("p", { class: "equation mono" }, `${name}(${digits(given)}) = ${digits(unit.value)} `);
  if (rule) line.append(verdict(Math.abs(rule(given) - unit.value) <= 1e-15 * Math.max(1, Math.abs(given)), t));
  const parts = [element("p", {}, t("draw.story-activation", { layer: unit.before.layer, name })), line];
  if (rule) parts.push(curve(rule, given, unit.value, name));
  return parts;
}

/** Makes the line of a sum, with what came out here. */
function equation(unit, terms, t) {
  const { products, total, same } = addUp(unit, terms);
  const text = (number) => fixed(number, placesOf(terms));
  const bias = unit.bias === null ? [] : [element("span", {}, ` + ${t("draw.bias")} ${text(unit.bias)}`)];
  return element("p", { class: "equation mono", "data-sum": total, "data-same": String(same) },
    element("span", {}, `${t("draw.sum-of", { count: terms.length })} ${text(products)}`), ...bias,
    element("b", {}, ` = ${text(total)} `), verdict(same && text(total) === text(unit.value), t));
}

function verdict(same, t) {
  return element("span", { class: `badge ${same ? "good" : "bad"}` }, t(same ? "draw.same" : "draw.other"));
}

/** Makes a list of which more is shown on request. */
function growing(length, first, step, key, t, make) {
  const list = element("div", { class: "lines" }, ...make(0, first));
  let shown = Math.min(first, length);
  const more = button("", { class: "small more-channels", onclick: () => {
    list.append(...make(shown, shown + step));
    shown = Math.min(length, shown + step);
    update();
  } });
  const update = () => {
    more.hidden = shown === length;
    say(more, t(key, { count: length - shown }));
  };
  update();
  return element("div", { class: "growing" }, list, more);
}

function allDigits(terms, t) {
  const box = element("details", { class: "all-digits" }, element("summary", {}, t("draw.all-digits", { count: terms.length })));
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(termTable(terms, terms.length, t));
  });
  return box;
}
