/** All maps of the layer before as they meet in a unit: each with its kernel and what comes of the
 * two, then the sum, the bias, the activation. What they add up to is the unit's value. */

import { element } from "../core/elements.js";
import { createFrame } from "../core/frame.js";
import { drawMap, drawMapOf } from "../core/maps.js";
import { digits } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { boxOf } from "../network/follow.js";
import { kindName } from "../network/names.js";
import { asBytes, partialMap, sweepOf } from "./channels.js";
import { told } from "./digits.js";
import { largest } from "./grids.js";
import { FUNCTIONS, exactSum } from "./sum.js";

/** @import { Channel, Picture, Scene, Unit } from "../types.d.ts" */

/** Maps that are shown; of more, all but the strongest are one number. */
export const MOST = 6;
const RULES = { ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh", ScaledTanh: "scaled_tanh" };

/**
 * @param {Unit} unit the answer of /v1/unit
 * @param {Channel[]} channels of `channelsOf`
 * @param {Scene} scene the network that it is shown in
 * @param {(channel: Channel) => void} onChoose wants to see more of one
 * @returns {HTMLElement}
 */
export function meeting(unit, channels, scene, onChoose) {
  const some = channels.slice(0, channels.length > MOST ? MOST - 1 : MOST).sort((one, other) => one.plane - other.plane);
  const others = channels.filter((channel) => !some.includes(channel));
  const results = some.map((channel) => resultOf(unit, channel, scene));
  const scales = { seen: largest(some.map(({ seen }) => seen)), weights: largest(some.map(({ weights }) => weights)), result: mostOf(results) };
  const tiles = some.map((channel, i) => tileOf(unit, channel, results[i], scales, scene));
  const choose = (/** @type {Channel} */ channel) => {
    tiles.forEach((tile, i) => tile.setAttribute("aria-pressed", String(some[i] === channel)));
    onChoose(channel);
  };
  tiles.forEach((tile, i) => (tile.onclick = () => choose(some[i])));
  tiles[some.indexOf(channels[0])]?.setAttribute("aria-pressed", "true");
  const label = t("unit.meet", { layer: unit.before.layer ?? "", count: channels.length });
  return element("div", { class: "meeting", role: "group", "aria-label": label },
    heads(unit), ...tiles, ...restOf(others), ...ends(unit, scene));
}

function heads({ before, operation }) {
  const names = [before.layer ?? "", `\u00d7 ${t(operation === "linear" ? "draw.term-weight" : "draw.part-kernel")}`, `= ${t("unit.partial")}`, "\u2211"];
  return element("div", { class: "meet-heads", "aria-hidden": "true" }, ...names.map((name) => element("span", {}, name)));
}

/** What a map and its kernel give: at every place of the unit's own map where that is known, else at its own. */
function resultOf(unit, { channel, weights, products }, { picture }) {
  const [before, own] = [picture(unit.before.layer), picture(unit.layer)];
  const sweep = own && unit.operation === "convolution" ? sweepOf(own.layer, before?.layer, unit) : null;
  if (!sweep || !own || !before || channel >= before.layer.shown) return { values: products.flat(), size: [products.length, products[0].length], place: null };
  const [, height, width] = before.layer.shape;
  const [step, from] = [(before.high - before.low) / 255, channel * height * width];
  const valueAt = (index) => before.low + before.bytes[from + index] * step;
  const size = own.layer.shape.slice(1);
  return { values: partialMap(valueAt, before.layer.shape, weights, sweep, size), size, place: boxOf(unit.unit) };
}

const mostOf = (results) => results.reduce((most, { values }) => values.reduce((size, value) => Math.max(size, Math.abs(value)), most), 0);

function tileOf(unit, channel, result, scales, scene) {
  const { dark } = scene;
  const kernel = pixels(channel.weights.flat(), [channel.weights.length, channel.weights[0].length], scales.weights, dark);
  kernel.node.classList.add("small");
  const found = pixels(result.values, result.size, scales.result, dark);
  if (result.place) found.mark(result.place, result.size[0], result.size[1]);
  if (result.place && scene.playing) found.cover([unit.unit[1], unit.unit[2] + 1], result.size[0], result.size[1]);
  const name = t("draw.channel", { layer: unit.before.layer ?? "", map: channel.channel });
  const label = `${name}: ${t("draw.subtotal")} ${told(channel.sum)}`;
  const given = { type: "button", class: "meet", "data-map": channel.channel, "data-sum": channel.sum, "aria-pressed": "false", "aria-label": label, title: label };
  return element("button", given, sourceOf(unit, channel, scales, scene), kernel.node, found.node, numberOf(channel.sum));
}

/** The map, with the window on it; the window alone where the map is not known. */
function sourceOf(unit, { channel, seen }, scales, { picture, dark }) {
  const { layer, window } = unit.before;
  const before = picture(layer);
  if (!window || !before || channel >= before.layer.shown) return pixels(seen.flat(), [seen.length, seen[0].length], scales.seen, dark).node;
  const frame = createFrame("window");
  const [height, width] = drawMapOf(frame.canvas, before, channel, dark);
  frame.mark(window, height, width);
  return frame.node;
}

function pixels(values, [height, width], most, dark) {
  const frame = createFrame("unit");
  drawMap(frame.canvas, asBytes(values, most), width, height, { low: -1, high: 1, dark });
  return frame;
}

function numberOf(value, sign = value < 0 ? "" : "+") {
  const kind = value < 0 ? "negative" : value ? "positive" : "";
  return element("span", { class: `meet-sum number ${kind}`, title: digits(value) }, `${sign}${told(value)}`);
}

/** The maps that are not shown, as one number. */
function restOf(others) {
  if (!others.length) return [];
  const sum = exactSum(others.map((channel) => channel.sum));
  return [endOf("rest", element("span", {}, t("unit.others", { count: others.length })), numberOf(sum), sum)];
}

/** The bias, the sum in its map, the activation behind it. */
function ends(unit, { picture, after, dark }) {
  const found = [];
  if (unit.bias !== null) found.push(endOf("bias", element("span", {}, t("draw.bias")), numberOf(unit.bias), unit.bias));
  found.push(endOf("total", mapAt(picture(unit.layer), unit.unit, dark), numberOf(unit.value, "= "), unit.value));
  const next = after(unit.layer);
  const rule = next && FUNCTIONS[RULES[next.kind]];
  if (!rule) return found;
  const value = rule(unit.value);
  return [...found, endOf("after", mapAt(picture(next.name), unit.unit, dark, `\u2192 ${kindName(next.kind)}`), numberOf(value, "= "), value)];
}

function endOf(kind, what, number, value) {
  return element("div", { class: `meet-end ${kind}`, "data-sum": value }, element("div", { class: "meet-what" }, what), number);
}

/** The unit in its map; of a vector only its name. */
function mapAt(/** @type {Picture | null} */ found, unit, dark, name = found?.layer.name ?? "") {
  if (!found || unit.length !== 3 || unit[0] >= found.layer.shown) return element("span", {}, name);
  const frame = createFrame("unit");
  const [height, width] = drawMapOf(frame.canvas, found, unit[0], dark);
  frame.mark(boxOf(unit), height, width);
  return element("div", { class: "meet-map" }, element("span", { title: found.layer.name }, name), frame.node);
}
