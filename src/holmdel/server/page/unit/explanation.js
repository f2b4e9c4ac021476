/** How a unit's value is computed, in words and numbers, computed here again. */

import { element } from "../core/elements.js";
import { t } from "../core/texts.js";
import { told as text } from "./digits.js";
import { curve } from "./curve.js";
import { largest, numberGrid, productLine, termRow, termTable } from "./grids.js";
import { growing, numbers, verdict } from "./parts.js";
import { addedBy, channelsOf } from "./channels.js";
import { MOST, meeting } from "./meeting.js";
import { FUNCTIONS, addUp, termsOf } from "./sum.js";

/** @import { Scene, Unit } from "../types.d.ts" */

const LINES = { first: 1, step: 8 };
const TERMS = { first: 12, step: 100 };

const STORIES = {
  convolution: sumStory,
  average: sumStory,
  linear: linearStory,
  maximum: maximumStory,
  activation: activationStory,
};

/**
 * @param {Unit} unit the answer of /v1/unit.
 * @param {Scene} scene the network that it is shown in.
 * @returns {HTMLElement[]} how it comes about.
 */
export function explain(unit, scene) {
  if (unit.value === null) return [told("no-number")];
  const story = STORIES[unit.operation];
  if (story && unit.patch) return story(unit, scene);
  const { layer, window } = unit.before;
  return [told(layer ? (window ? "place" : "other") : "unknown", { layer })];
}

function told(key, values) {
  return element("p", {}, t(`draw.story-${key}`, values));
}

function sumStory(unit, scene) {
  const terms = termsOf(unit);
  const channels = channelsOf(unit);
  const { patch, before, operation } = unit;
  const [height, width] = [patch[0].length, patch[0][0].length];
  const convolution = patch.length === 1 ? "one-map" : "convolution";
  const story = told(operation === "average" ? operation : convolution, { layer: before.layer, count: patch.length, height, width });
  if (channels.length) return [top(story, equation(unit, terms)), met(unit, channels, scene, allDigits(terms))];
  return [story, equation(unit, terms), linesOf(unit, addedBy(unit)).node, allDigits(terms)];
}

function linearStory(unit, scene) {
  const terms = termsOf(unit);
  const channels = channelsOf(unit);
  const story = told(channels.length ? "linear-maps" : "linear", { layer: unit.before.layer, count: terms.length });
  if (channels.length) return [top(story, equation(unit, terms)), met(unit, channels, scene, allDigits(terms))];
  const table = termTable();
  const more = growing(table.tBodies[0], sorted(terms), TERMS, "draw.more-terms", termRow);
  return [story, equation(unit, terms), element("div", { class: "growing" }, table, more)];
}

const top = (...parts) => element("div", { class: "story-top" }, ...parts);

/** The maps that meet in a unit, and beside them the products of the one that is chosen. */
function met(unit, channels, scene, digits) {
  const { node, more, choose } = linesOf(unit, channels);
  more.hidden ||= channels.length <= MOST; // each can be chosen
  return element("div", { class: "met" }, meeting(unit, channels, scene, choose), element("div", { class: "met-line" }, node, digits));
}

/** Window times kernel gives products, a line for each map. */
function linesOf(unit, channels) {
  const parts = (name) => largest(channels.map((channel) => channel[name]));
  const scales = { patch: parts("seen"), kernel: parts("weights"), products: parts("products") };
  const lines = element("div", { class: "lines" });
  const line = (one) => productLine(unit, one, scales);
  const more = growing(lines, channels, LINES, "draw.more-channels", line);
  const choose = (channel) => {
    lines.querySelector(`[data-channel="${channel.channel}"]`)?.remove();
    if (more.hidden && lines.childElementCount <= 1) lines.replaceChildren();
    lines.prepend(line(channel));
  };
  return { node: element("div", { class: "growing" }, lines, more), more, choose };
}

function maximumStory({ argmax: [plane, row, column], patch, before, value }) {
  const seen = patch[plane];
  const options = { scale: largest(patch), label: t("draw.part-patch"), marked: [row, column] };
  const best = seen[row][column];
  return [
    told("maximum", { layer: before.layer, count: seen.length * seen[0].length }),
    numberGrid(seen, options),
    numbers({}, `max = ${text(best)} `, verdict(best === value)),
  ];
}

function activationStory(unit) {
  const given = [unit.patch].flat(3)[0];
  const rule = FUNCTIONS[unit.function];
  const name = unit.function ?? "f";
  const line = numbers({}, `${name}(${text(given)}) = ${text(unit.value)} `);
  const story = [told("activation", { layer: unit.before.layer, name }), line];
  if (!rule) return story;
  const room = 1e-15 * Math.max(1, Math.abs(given));
  line.append(verdict(Math.abs(rule(given) - unit.value) <= room));
  return [...story, curve(rule, given, unit.value, name)];
}

/** Makes the line of a sum, with what came out here. */
function equation(unit, terms) {
  const { products, total, same } = addUp(unit, terms);
  const bias = unit.bias === null ? "" : ` + ${t("draw.bias")} ${text(unit.bias)}`;
  return numbers(
    { "data-sum": total, "data-same": String(same) },
    `${t("draw.sum-of", { count: terms.length })} ${text(products)}${bias}`,
    element("b", {}, ` = ${text(total)} `),
    verdict(same && close(total, unit.value, terms)),
  );
}

/** Whether the network's value, summed up in another order, is this one but for rounding. */
function close(total, value, terms) {
  const size = terms.reduce((sum, { product }) => sum + Math.abs(product), Math.abs(total));
  return Math.abs(total - value) <= 1e-12 * size;
}

function allDigits(terms) {
  const summary = element("summary", {}, t("draw.all-digits", { count: terms.length }));
  const ontoggle = ({ target }) => {
    if (target.open && target.children.length === 1)
      target.append(termTable(...sorted(terms).map(termRow)));
  };
  return element("details", { class: "all-digits", ontoggle }, summary);
}

function sorted(terms) {
  return [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
}
