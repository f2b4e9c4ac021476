/** How one unit's value comes about, as /v1/unit of the playground says it. No DOM. */

import { MOVES, valueOf } from "./network.js";
import { addUp } from "../../server/page/unit/sum.js";

/** @import { AnatomyLayer } from "../../server/page/types.d.ts" */
/** @import { Page, Value } from "./types.d.ts" */

const NAMES = { Relu: "relu", Sigmoid: "sigmoid", Tanh: "tanh" };

/**
 * @param {Page} page the network.
 * @param {Map<string, Value>} values of `run`.
 * @param {string} name of a layer.
 * @param {number[]} unit [channel, row, column], or [unit] of a vector.
 */
export function explain(page, values, name, unit) {
  const row = /** @type {AnatomyLayer} */ (page.rows.find((one) => one.name === name));
  const own = valueOf(values, page.graph.layers[name]);
  const index = indexOf(own.shape, unit);
  const told = { layer: name, kind: row.kind, unit, value: finite(own.data[index]) };
  const { operation, taken, ...parts } = sumOf(page, values, name, unit, index);
  const { layer, shape } = taken ? sourceOf(page, values, taken) : { layer: null, shape: [] };
  const { channels = [], window = null, ...rest } = parts;
  const before = { layer, shape, channels, window };
  const nothing = { patch: null, kernel: null, bias: null, argmax: null, function: null };
  const field = fieldOf(row.receptive_field, unit);
  const found = { ...nothing, ...rest };
  return { ...told, operation, before, field, ...found, sum: total(found) ?? told.value };
}

function indexOf(shape, unit) {
  return unit.reduce((at, place, axis) => at * shape[axis] + place, 0);
}

const finite = (value) => (Number.isFinite(value) ? value : null);

/** The pixels that a unit depends on. */
function fieldOf(field, unit) {
  if (!field) return null;
  const [row, column] = unit.length === 3 ? unit.slice(1) : [0, 0];
  return {
    top: field.offset[0] + row * field.stride[0],
    left: field.offset[1] + column * field.stride[1],
    height: field.size[0],
    width: field.size[1],
  };
}

/** Finds the layer that has a value, flattening left out. */
function sourceOf({ graph }, values, name) {
  const before = graph.nodes.find((step) => step.output === name);
  const { shape } = valueOf(values, name);
  if (before && MOVES.includes(before.op) && before.inputs[0] !== graph.input)
    return sourceOf({ graph }, values, before.inputs[0]);
  if (name === graph.first) return { layer: "input", shape };
  const layer = Object.keys(graph.layers).find((key) => graph.layers[key] === name) ?? null;
  return { layer, shape };
}

/**
 * How a unit comes out of what its layer takes; the layer's own value first, then back.
 * @returns {any}
 */
function sumOf({ graph }, values, name, unit, index) {
  const steps = graph.nodes.filter((step) => step.layer === name);
  const [last, ...more] = steps.reverse();
  const place = unit.length === 3 ? { top: unit[1], left: unit[2], height: 1, width: 1 } : null;
  const other = { operation: "other", taken: steps.at(-1)?.inputs[0] ?? null, channels: [unit[0]], window: place };
  if (!last) return other;
  const shifted = more.length === 1 && last.op === "Add" && more[0].op === "Conv" && valueOf(values, last.inputs[1]);
  if (shifted) return convolved(more[0], values, unit, added(shifted, unit));
  if (more.length) return other;
  const given = valueOf(values, last.inputs[0]);
  if (last.op === "Conv") return convolved(last, values, unit, 0);
  if (last.op === "MaxPool" || last.op === "AveragePool") return pooled(last, given, unit);
  if (last.op === "Gemm") return dense(last, values, unit[0], { graph });
  if (last.op in NAMES) {
    const value = given.data[index];
    const patch = place ? [[[value]]] : [value];
    return { ...other, operation: "activation", function: NAMES[last.op], patch };
  }
  return other;
}

/** What a sum behind a convolution adds to a unit: a bias of its map, or its own. */
function added({ shape, data }, unit) {
  const at = unit.slice(-shape.length).map((place, axis) => (shape[axis] === 1 ? 0 : place));
  return data[indexOf(shape, at)];
}

function convolved({ inputs, at }, values, [out, row, column], more) {
  const [given, weight, bias] = inputs.map((name) => valueOf(values, name));
  const [maps, per, high, wide] = weight.shape;
  const first = Math.floor(out / (maps / at.group)) * per;
  const [top, left] = [row * at.strides[0] - at.pads[0], column * at.strides[1] - at.pads[1]];
  const channels = Array.from({ length: per }, (_, i) => first + i);
  const taps = { top, left, high, wide, dilations: at.dilations };
  const patch = channels.map((channel) => cut(given, channel, taps));
  const kernel = channels.map((_, i) =>
    cut(weight, out * per + i, { top: 0, left: 0, high, wide, dilations: [1, 1] }),
  );
  const constant = bias || more ? (bias ? bias.data[out] : 0) + more : null;
  const window = windowOf(taps);
  return { operation: "convolution", taken: inputs[0], channels, window, patch, kernel, bias: constant };
}

/** A part of one map; zeros beside it. */
function cut({ shape, data }, channel, { top, left, high, wide, dilations: [one, two] }, outside = 0) {
  const [height, width] = shape.slice(-2);
  return Array.from({ length: high }, (_, k) =>
    Array.from({ length: wide }, (_, l) => {
      const [row, column] = [top + k * one, left + l * two];
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      return inside ? data[(channel * height + row) * width + column] : outside;
    }),
  );
}

function windowOf({ top, left, high, wide, dilations: [one, two] }) {
  return { top, left, height: (high - 1) * one + 1, width: (wide - 1) * two + 1 };
}

function pooled({ op, inputs, at }, given, [map, row, column]) {
  const [high, wide] = at.kernel_shape;
  const [top, left] = [row * at.strides[0] - at.pads[0], column * at.strides[1] - at.pads[1]];
  const taps = { top, left, high, wide, dilations: at.dilations ?? [1, 1] };
  const found = { taken: inputs[0], channels: [map], window: windowOf(taps) };
  if (op === "MaxPool") {
    const plane = cut(given, map, taps, -Infinity);
    const flat = plane.flat();
    const best = flat.indexOf(Math.max(...flat));
    const argmax = [0, Math.floor(best / wide), best % wide];
    const shown = plane.map((line) => line.map((value) => (Number.isFinite(value) ? value : 0)));
    return { ...found, operation: "maximum", patch: [shown], argmax };
  }
  const plane = cut(given, map, taps, NaN);
  const count = plane.flat().filter((value) => !Number.isNaN(value)).length;
  const share = (value) => (Number.isNaN(value) ? 0 : 1 / count);
  const kernel = [plane.map((line) => line.map(share))];
  return { ...found, operation: "average", patch: [cut(given, map, taps)], kernel };
}

function dense({ inputs }, values, out, page) {
  const [given, weight, bias] = inputs.map((name) => valueOf(values, name));
  const count = weight.shape[1];
  const kernel = [...weight.data.subarray(out * count, (out + 1) * count)];
  const found = { operation: "linear", taken: inputs[0], bias: bias ? bias.data[out] : null };
  const { shape } = sourceOf(page, values, inputs[0]);
  const patch = [...given.data];
  if (shape.length !== 3) return { ...found, channels: patch.map((_, i) => i), patch, kernel };
  const [maps, height, width] = shape;
  const window = { top: 0, left: 0, height, width };
  const channels = Array.from({ length: maps }, (_, i) => i);
  return { ...found, channels, window, patch: planes(patch, shape), kernel: planes(kernel, shape) };
}

/** @param {number[]} flat @param {number[]} shape */
function planes(flat, [maps, height, width]) {
  return Array.from({ length: maps }, (_, c) =>
    Array.from({ length: height }, (_, r) => {
      const at = (c * height + r) * width;
      return flat.slice(at, at + width);
    }),
  );
}

/** The sum of the products and the bias; null without products. */
function total({ patch, kernel, bias }) {
  if (!patch || !kernel) return null;
  const [seen, weights] = [patch, kernel].map((part) => part.flat(2));
  return exactSum([...seen.map((value, i) => value * weights[i]), bias ?? 0]);
}

/** The sum, rounded once at the end, as the page adds up (unit-sum.js). */
function exactSum(terms) {
  return addUp(/** @type {any} */ ({ bias: 0, sum: null }), terms.map((product) => ({ product }))).total;
}
