/** The loss, its gradients, what each is the sum of, and a step: as the server's routes answer. No DOM. */

import { gradientsOf, handOn } from "./gradients.js";
import { size, valueOf } from "./network.js";

/** @import { AnatomyLayer, GradientAnswer, StepAnswer } from "../../server/page/types.d.ts" */
/** @import { Page, Value } from "./types.d.ts" */

const MOST_TERMS = 4096;

/** The way back of one image and its true class. */
export class Backward {
  /** @type {Map<string, Float64Array>} */
  #slopes;

  /** @param {Page} page @param {Map<string, Value>} values of `run` @param {number} target the true class */
  constructor(page, values, target) {
    this.page = page;
    this.values = values;
    this.target = target;
    this.probabilities = [...valueOf(values, "probabilities").data];
    const slopes = Float64Array.from(this.probabilities, (p, i) => p - (i === target ? 1 : 0));
    this.#slopes = gradientsOf(page.graph, values, "logits", slopes);
  }

  /** @returns {number} the cross entropy: from the logits, so that none is too small for it. */
  get loss() {
    const logits = valueOf(this.values, "logits").data;
    const most = Math.max(...logits);
    return most - logits[this.target] + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - most), 0));
  }

  /** @param {string} layer @returns {Value | null} the loss by its values. */
  of(layer) {
    const { graph } = this.page;
    const name = layer === "input" ? graph.first : graph.layers[layer];
    const [data, own] = [this.#slopes.get(name), this.values.get(name)];
    return data && own ? { shape: own.shape, data } : null;
  }

  /** @returns {GradientAnswer} as /v1/backward answers. */
  unit(layer, unit) {
    const { rows } = this.page;
    const row = layer === "input" ? { kind: "Input" } : rowOf(rows, layer);
    const own = this.of(layer);
    const output = layer === rows[rows.length - 1].name;
    const share = this.probabilities[unit[0]] - (unit[0] === this.target ? 1 : 0);
    return {
      layer, kind: row.kind, unit, output,
      gradient: own ? own.data[indexOf(own.shape, unit)] : null,
      weights: layer !== "input" && this.#weightsOf(layer) !== null,
      terms: output ? [{ layer, unit, gradient: share, weight: 1 }] : this.#terms(layer, unit),
    };
  }

  /** What each unit behind one hands back. */
  #terms(layer, unit) {
    const name = layer === "input" ? this.page.graph.first : this.page.graph.layers[layer];
    const own = valueOf(this.values, name);
    const one = new Float64Array(own.data.length);
    one[indexOf(own.shape, unit)] = 1;
    return this.#behind(layer, new Map([[name, one]])).slice(0, MOST_TERMS);
  }

  #behind(layer, changes) {
    const { rows, graph } = this.page;
    const takers = rows.filter((row) => (row.inputs.length ? row.inputs : ["input"]).includes(layer));
    return takers.flatMap((row) => {
      handOn(graph.nodes.filter((step) => step.layer === row.name), this.values, changes);
      const change = changes.get(graph.layers[row.name]);
      if (!change) return [];
      return row.kind === "Flatten" && row !== rows[rows.length - 1] ? this.#behind(row.name, changes) : this.#termsOf(row.name, change);
    });
  }

  #termsOf(layer, change) {
    const own = this.of(layer);
    if (!own) return [];
    return [...change].flatMap((weight, i) => (weight ? [{ layer, unit: placeOf(own.shape, i), gradient: own.data[i], weight }] : []));
  }

  /** The one step of a layer that multiplies with weights; null for another layer. */
  #weightsOf(layer) {
    const { graph, rows } = this.page;
    const { kind } = rowOf(rows, layer);
    const steps = graph.nodes.filter((step) => step.layer === layer && (step.op === "Conv" || step.op === "Gemm"));
    const plain = kind === "Linear" || (kind === "Conv2d" && steps[0]?.at.group === 1);
    return steps.length === 1 && plain && steps[0].inputs[1] in graph.constants ? steps[0] : null;
  }

  /** @returns {StepAnswer} as /v1/step answers. */
  step(layer, unit, rate) {
    const step = this.#weightsOf(layer);
    if (!step) throw new Error(`${layer} has no weights that a step changes`);
    const [given, weight] = step.inputs.map((name) => valueOf(this.values, name));
    const slopes = this.#slopesOf(step, unit[0]);
    const seen = step.op === "Gemm" ? [...given.data].map((value) => [value]) : patches(given, weight.shape, step, slopes.length);
    const shape = step.op === "Gemm" ? [1, 1, weight.shape[1]] : weight.shape.slice(1);
    const before = weight.data.subarray(unit[0] * size(shape), (unit[0] + 1) * size(shape));
    const gradient = seen.map((values) => values.reduce((sum, value, i) => sum + value * slopes[i], 0));
    const most = gradient.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient[best]) ? i : best), 0);
    const [plane, ...at] = placeOf(shape, most);
    const after = gradient.map((value, i) => before[i] - rate * value);
    const kernels = { before: planesOf(before, shape), gradient: planesOf(gradient, shape), after: planesOf(after, shape) };
    return { layer, unit, rate, ...kernels, weight: { plane, at, gradient: gradient[most], seen: seen[most], slopes } };
  }

  /** The loss by what a step gives, in one map. */
  #slopesOf(step, map) {
    const { shape } = valueOf(this.values, step.output);
    const all = this.#slopes.get(step.output) ?? new Float64Array(size(shape));
    const area = size(shape.slice(1));
    return [...all.subarray(map * area, (map + 1) * area)];
  }
}

/**
 * Returns how strongly each pixel moves a class's logit: none below 0, the largest of its channels.
 * @param {Page} page @param {Map<string, Value>} values of `run` @param {number} target
 */
export function saliencyOf(page, values, target) {
  const slopes = new Float64Array(valueOf(values, "logits").data.length);
  slopes[target] = 1;
  const { shape } = valueOf(values, page.graph.first);
  const found = gradientsOf(page.graph, values, "logits", slopes).get(page.graph.first) ?? new Float64Array(size(shape));
  const area = size(shape.slice(1));
  return Float64Array.from({ length: area }, (_, i) =>
    Math.max(...Array.from({ length: shape[0] }, (_, c) => Math.abs(found[c * area + i]))));
}

/** What each weight of a kernel is multiplied with at each place. */
function patches(/** @type {Value} */ given, weights, { at }, places) {
  const { shape, data } = given;
  const [maps, rows, columns] = shape;
  const [high, wide] = weights.slice(2);
  const [[down, across], [top, left, , right], [one, two]] = [at.strides, at.pads, at.dilations];
  const width = Math.floor((columns + left + right - two * (wide - 1) - 1) / across) + 1;
  return Array.from({ length: maps * high * wide }, (_, weight) => {
    const [i, k, l] = placeOf([maps, high, wide], weight);
    return Array.from({ length: places }, (_, place) => {
      const row = Math.floor(place / width) * down - top + k * one;
      const column = (place % width) * across - left + l * two;
      const inside = row >= 0 && row < rows && column >= 0 && column < columns;
      return inside ? data[(i * rows + row) * columns + column] : 0;
    });
  });
}

const rowOf = (rows, layer) => /** @type {AnatomyLayer} */ (rows.find((row) => row.name === layer));
const indexOf = (shape, unit) => unit.reduce((at, place, axis) => at * shape[axis] + place, 0);

function placeOf(shape, index) {
  let rest = index;
  return [...shape].reverse().map((side) => {
    const at = rest % side;
    rest = Math.floor(rest / side);
    return at;
  }).reverse();
}

function planesOf(flat, /** @type {number[]} */ [maps, height, width]) {
  return Array.from({ length: maps }, (_, c) => Array.from({ length: height }, (_, r) =>
    [...flat.slice((c * height + r) * width, (c * height + r + 1) * width)]));
}
