/** The way back through a network, in 64 bits: how each operator hands on a slope. No DOM.
 *
 * Each operator hands a gradient back to its inputs (`handBack`), and a change of its inputs on to
 * its output (`handOn`).
 */

import { MOVES, computed, size, spread, strides, valueOf, walk } from "./network.js";

/** @import { Graph, Step, Value } from "./types.d.ts" */

/** Slopes of functions by x, where y is the value. */
const SLOPES = {
  Cast: () => 1,
  Relu: (x) => (x > 0 ? 1 : 0),
  Sigmoid: (x, y) => y * (1 - y),
  Tanh: (x, y) => 1 - y * y,
  Neg: () => -1,
  Exp: (x, y) => y,
  Log: (x) => 1 / x,
  Sqrt: (x, y) => 0.5 / y,
  Abs: Math.sign,
  Reciprocal: (x, y) => -y * y,
  Softplus: (x) => 1 / (1 + Math.exp(-x)),
  Erf: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  LeakyRelu: (x, y, { alpha }) => (x > 0 ? 1 : alpha),
  Elu: (x, y, { alpha }) => (x > 0 ? 1 : y + alpha),
  HardSigmoid: (x, y, { alpha }) => (y > 0 && y < 1 ? alpha : 0),
  HardSwish: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5),
};

/** Slopes of functions of two, by the first and by the second. */
const PAIR_SLOPES = {
  Add: [() => 1, () => 1],
  Sub: [() => 1, () => -1],
  Mul: [(a, b) => b, (a) => a],
  Div: [(a, b) => 1 / b, (a, b) => -a / (b * b)],
  Max: [(a, b) => (a > b ? 1 : a === b ? 0.5 : 0), (a, b) => (b > a ? 1 : a === b ? 0.5 : 0)],
  Min: [(a, b) => (a < b ? 1 : a === b ? 0.5 : 0), (a, b) => (b < a ? 1 : a === b ? 0.5 : 0)],
  Pow: [(a, b) => b * a ** (b - 1), (a, b) => a ** b * Math.log(a)],
  PRelu: [(a, b) => (a > 0 ? 1 : b), (a) => (a > 0 ? 0 : a)],
};

/** Operators that put each value of their inputs somewhere else, or leave it out. */
const PLACES = ["Transpose", "Slice", "Pad", "Concat", "MaxPool", "ReduceMax", "ReduceMin"];

/** Operators that are sums of products of what they take with something else. */
const LINEAR = ["Conv", "Gemm", "MatMul", "AveragePool", "ReduceMean", "ReduceSum"];

/**
 * Returns the gradients of a sum of a network's values, each with a slope of its own.
 * @param {Graph} graph
 * @param {Map<string, Value>} values of `run`
 * @param {string} name of the values that have these slopes
 * @param {Float64Array} slopes
 * @returns {Map<string, Float64Array>} by the names of values; those it does not hang on are left out
 */
export function gradientsOf(graph, values, name, slopes) {
  const found = new Map([[name, slopes]]);
  for (const step of [...graph.nodes].reverse()) {
    const own = found.get(step.output);
    if (!own) continue;
    step.inputs.forEach((input, at) => {
      if (input in graph.constants) return;
      const back = handBack(step, values, own, at);
      const before = found.get(input);
      found.set(input, before ? before.map((value, i) => value + back[i]) : back);
    });
  }
  return found;
}

/** What a step hands back to one of its inputs. @param {Step} step @returns {Float64Array} */
function handBack(step, values, slope, at) {
  const given = step.inputs.map((name) => valueOf(values, name));
  const out = valueOf(values, step.output);
  const { op } = step;
  const own = given[at];
  if (MOVES.includes(op)) return slope;
  if (op in SLOPES) return slope.map((value, i) => value * SLOPES[op](own.data[i], out.data[i], step.at));
  if (op in PAIR_SLOPES) return pairBack(op, given, out, slope, at);
  if (PLACES.includes(op)) return scattered(placesOf(step, given, out), slope, given, at);
  if (op in BACK) return BACK[op](slope, given, out, step.at, at);
  throw unknown(step);
}

/**
 * Returns how a layer's value changes with a value before it, to the first order.
 * @param {Step[]} steps those of the layer, in running order
 * @param {Map<string, Value>} values
 * @param {Map<string, Float64Array>} changes of what goes in; those of what comes out are added.
 */
export function handOn(steps, values, changes) {
  for (const step of steps) {
    if (!step.inputs.some((name) => changes.has(name))) continue;
    const given = step.inputs.map((name) => valueOf(values, name));
    const parts = step.inputs.flatMap((name, at) => {
      const change = changes.get(name);
      return change ? [changeOf(step, values, given, change, at)] : [];
    });
    changes.set(step.output, parts.reduce((sum, part) => sum.map((value, i) => value + part[i])));
  }
}

function changeOf(step, values, given, change, at) {
  const { op } = step;
  const out = valueOf(values, step.output);
  if (MOVES.includes(op)) return change;
  if (op in SLOPES) return change.map((value, i) => (value ? value * SLOPES[op](given[at].data[i], out.data[i], step.at) : 0));
  if (op in PAIR_SLOPES) return pairOn(op, given, out, change, at);
  if (PLACES.includes(op)) return gathered(placesOf(step, given, out), change, given, at);
  if (op === "Softmax" || op === "LogSoftmax") return softmaxOn(op, change, out, step.at);
  if (!LINEAR.includes(op)) throw unknown(step);
  const changed = given.map((one, i) => (i === at ? { shape: one.shape, data: change } : one));
  return computed(step, op === "MatMul" ? changed : changed.slice(0, 2), out.shape); // no bias
}

function unknown({ layer, op }) {
  return new Error(`gradients through ${op} (${layer}) are computed by the playground alone: holmdel serve`);
}

/** Calls back with places in both inputs and the output of a function of two. */
function overPairs(given, { shape }, visit) {
  let to = 0;
  walk(shape, given.map((one) => spread(one.shape, shape)), [0, 0], (a, b) => visit(a, b, to++));
}

function pairBack(op, given, out, slope, at) {
  const [one, two] = given;
  const rule = PAIR_SLOPES[op][at];
  const back = new Float64Array(given[at].data.length);
  overPairs(given, out, (a, b, to) => {
    if (slope[to]) back[at ? b : a] += slope[to] * rule(one.data[a], two.data[b]);
  });
  return back;
}

function pairOn(op, given, out, change, at) {
  const [one, two] = given;
  const rule = PAIR_SLOPES[op][at];
  const on = new Float64Array(out.data.length);
  overPairs(given, out, (a, b, to) => {
    const value = change[at ? b : a];
    if (value) on[to] = value * rule(one.data[a], two.data[b]);
  });
  return on;
}

/** Where each value of the output comes from: a place in all inputs one after the other, -1 for nowhere. */
function placesOf(step, given, { shape, data }) {
  if (step.op === "MaxPool") return pooledFrom(step.at, given[0], shape);
  if (step.op.startsWith("Reduce")) return reducedFrom(step.at, given[0], data);
  let first = 1;
  const numbered = given.map((one) => {
    const numbers = Float64Array.from(one.data, (_, i) => first + i);
    first += one.data.length;
    return { shape: one.shape, data: numbers };
  });
  const at = step.op === "Pad" ? { ...step.at, value: 0 } : step.at;
  return computed({ ...step, at }, numbered, shape).map((place) => place - 1);
}

function pooledFrom({ kernel_shape: [high, wide], strides: [down, across], pads: [top, left], dilations }, { shape, data }, [maps, height, width]) {
  const [, rows, columns] = shape;
  const [one, two] = dilations ?? [1, 1];
  const found = new Float64Array(maps * height * width);
  let to = 0;
  for (let o = 0; o < maps; o++)
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++) {
        let [best, place] = [-Infinity, -1];
        for (let k = 0; k < high; k++)
          for (let l = 0; l < wide; l++) {
            const [row, column] = [r * down - top + k * one, c * across - left + l * two];
            if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
            const from = (o * rows + row) * columns + column;
            if (data[from] > best) [best, place] = [data[from], from];
          }
        found[to++] = place;
      }
  return found;
}

/** The first of those that are the greatest, or the least. */
function reducedFrom({ axes }, { shape, data }, most) {
  const kept = shape.map((side, i) => (axes.includes(i) ? 1 : side));
  const found = new Float64Array(size(kept)).fill(-1);
  walk(shape, [strides(shape), spread(kept, shape)], [0, 0], (from, to) => {
    if (found[to] < 0 && data[from] === most[to]) found[to] = from;
  });
  return found;
}

/** Where the values of an input begin among those of all. */
const beginOf = (given, at) => given.slice(0, at).reduce((sum, one) => sum + one.data.length, 0);

function scattered(places, slope, given, at) {
  const [begin, count] = [beginOf(given, at), given[at].data.length];
  const back = new Float64Array(count);
  places.forEach((place, i) => {
    if (place >= begin && place < begin + count) back[place - begin] += slope[i];
  });
  return back;
}

function gathered(places, change, given, at) {
  const begin = beginOf(given, at);
  return places.map((place) => change[place - begin] ?? 0);
}

const BACK = {
  Conv: convolutionBack,
  AveragePool: averageBack,
  ReduceMean: (slope, given, out, at) => reducedBack(slope, given[0], at, size(at.axes.map((axis) => given[0].shape[axis]))),
  ReduceSum: (slope, given, out, at) => reducedBack(slope, given[0], at, 1),
  Gemm: (slope, [given, weight]) => Float64Array.from(given.data, (_, i) => dotColumn(slope, weight, i)),
  MatMul: productBack,
  Softmax: (slope, given, out, at) => softmaxOn("Softmax", slope, out, at), // it is its own transpose
  LogSoftmax: logSoftmaxBack,
};

function dotColumn(slope, { shape, data }, column) {
  let sum = 0;
  for (let row = 0; row < slope.length; row++) sum += slope[row] * data[row * shape[1] + column];
  return sum;
}

/** Calls back with each tap of a window: places in what is taken, in a kernel's plane, in what is given. */
function overTaps({ shape: [, rows, columns] }, [, height, width], [high, wide], at, visit) {
  const [[down, across], [top, left], [one, two]] = [at.strides, at.pads, at.dilations ?? [1, 1]];
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++)
      for (let k = 0; k < high; k++)
        for (let l = 0; l < wide; l++) {
          const [row, column] = [r * down - top + k * one, c * across - left + l * two];
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
          visit(row * columns + column, k * wide + l, r * width + c);
        }
}

function convolutionBack(slope, [given, weight], { shape }, at) {
  const [maps, per, high, wide] = weight.shape;
  const [plane, area, kernel] = [size(given.shape.slice(1)), size(shape.slice(1)), high * wide];
  const back = new Float64Array(given.data.length);
  overTaps(given, shape, [high, wide], at, (from, tap, to) => {
    for (let o = 0; o < maps; o++) {
      const own = slope[o * area + to];
      if (!own) continue;
      const first = Math.floor(o / (maps / at.group)) * per;
      for (let i = 0; i < per; i++) back[(first + i) * plane + from] += own * weight.data[(o * per + i) * kernel + tap];
    }
  });
  return back;
}

function averageBack(slope, [given], { shape }, at) {
  const [plane, area] = [size(given.shape.slice(1)), size(shape.slice(1))];
  const counts = new Float64Array(area);
  overTaps(given, shape, at.kernel_shape, at, (from, tap, to) => counts[to]++);
  const back = new Float64Array(given.data.length);
  overTaps(given, shape, at.kernel_shape, at, (from, tap, to) => {
    for (let o = 0; o < shape[0]; o++) back[o * plane + from] += slope[o * area + to] / counts[to];
  });
  return back;
}

function reducedBack(slope, { shape, data }, { axes }, count) {
  const kept = shape.map((side, i) => (axes.includes(i) ? 1 : side));
  const back = new Float64Array(data.length);
  walk(shape, [strides(shape), spread(kept, shape)], [0, 0], (to, from) => {
    back[to] = slope[from] / count;
  });
  return back;
}

/** @param {Float64Array} slope @param {Value[]} given @param {Value} out */
function productBack(slope, [one, two], { shape }, _, at) {
  const [rows, columns] = shape.slice(-2);
  const inner = one.shape[one.shape.length - 1];
  const [left, right] = [one, two].map((v) => (v.shape.length > 2 ? size(v.shape.slice(-2)) : 0));
  const back = new Float64Array((at ? two : one).data.length);
  for (let o = 0, to = 0; to < slope.length; o++)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, to++)
        for (let i = 0; i < inner; i++) {
          const [a, b] = [o * left + r * inner + i, o * right + i * columns + c];
          if (at) back[b] += slope[to] * one.data[a];
          else back[a] += slope[to] * two.data[b];
        }
  return back;
}

/** Calls back with the places of each softmax: those of its values. */
function overRows({ shape }, axis, visit) {
  const [after, count] = [size(shape.slice(axis + 1)), shape[axis]];
  for (let a = 0; a < size(shape); a += count * after)
    for (let b = a; b < a + after; b++) visit(Array.from({ length: count }, (_, i) => b + i * after));
}

function softmaxOn(op, change, out, { axis }) {
  const on = new Float64Array(change.length);
  overRows(out, axis, (places) => {
    const share = (at) => (op === "Softmax" ? out.data[at] : Math.exp(out.data[at]));
    const mean = places.reduce((sum, at) => sum + share(at) * change[at], 0);
    for (const at of places) on[at] = (op === "Softmax" ? share(at) : 1) * (change[at] - mean);
  });
  return on;
}

function logSoftmaxBack(slope, given, out, { axis }) {
  const back = new Float64Array(slope.length);
  overRows(out, axis, (places) => {
    const sum = places.reduce((total, at) => total + slope[at], 0);
    for (const at of places) back[at] = slope[at] - Math.exp(out.data[at]) * sum;
  });
  return back;
}
