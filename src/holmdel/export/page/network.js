/** A network computed here, one image at a time, in 64 bits: ONNX's operators. No DOM. */

/** @import { Graph, Step, Value } from "./types.d.ts" */

/** How many values a shape has. */
export const size = (shape) => shape.reduce((product, side) => product * side, 1);

const FUNCTIONS = {
  Cast: (x) => x,
  Relu: (x) => Math.max(0, x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: Math.tanh,
  Neg: (x) => -x,
  Exp: Math.exp,
  Log: Math.log,
  Sqrt: Math.sqrt,
  Abs: Math.abs,
  Reciprocal: (x) => 1 / x,
  Softplus: (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
  Erf: erf,
  LeakyRelu: (x, { alpha }) => (x > 0 ? x : alpha * x),
  Elu: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
  HardSigmoid: (x, { alpha, beta }) => Math.min(1, Math.max(0, alpha * x + beta)),
  HardSwish: (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)),
};

const PAIRS = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
  Pow: Math.pow,
  PRelu: (a, b) => (a > 0 ? a : a * b),
};

const REDUCTIONS = {
  ReduceMean: [0, (a, b) => a + b],
  ReduceSum: [0, (a, b) => a + b],
  ReduceMax: [-Infinity, Math.max],
  ReduceMin: [Infinity, Math.min],
};

const OPERATORS = {
  Conv: convolution,
  MaxPool: pooling,
  AveragePool: pooling,
  Gemm: dense,
  MatMul: product,
  Softmax: softmax,
  LogSoftmax: softmax,
  Transpose: transpose,
  Slice: slice,
  Pad: pad,
  Concat: concat,
};

/**
 * @param {Map<string, Value>} values
 * @param {string} name
 * @returns {Value} the value of this name, which is there.
 */
export function valueOf(values, name) {
  return /** @type {Value} */ (values.get(name));
}

/** The operators that change nothing but the shape. */
export const MOVES = ["Reshape", "Identity"];

/**
 * Computes every value of a network for one image.
 * @param {Graph} graph
 * @param {Record<string, Value>} constants
 * @param {ArrayLike<number>} image bytes as stored.
 * @returns {Map<string, Value>} the values by name.
 */
export function run(graph, constants, image) {
  const values = new Map(Object.entries(constants));
  values.set(graph.input, { shape: graph.shapes[graph.input], data: Float64Array.from(image) });
  for (const step of graph.nodes) {
    const given = step.inputs.map((name) => valueOf(values, name));
    const shape = graph.shapes[step.output];
    values.set(step.output, { shape, data: computed(step, given, shape) });
  }
  return values;
}

/**
 * Computes one operator.
 * @param {Step} step @param {any} given the values of its inputs @param {number[]} shape
 * @returns {Float64Array}
 */
export function computed(step, given, shape) {
  const { op, at } = step;
  if (MOVES.includes(op)) return given[0].data;
  if (op in FUNCTIONS) return given[0].data.map((x) => FUNCTIONS[op](x, at));
  if (op in PAIRS) return pairs(PAIRS[op], given, shape);
  if (op in REDUCTIONS) return reduced(op, given[0], at.axes);
  return OPERATORS[op](given, shape, at, op);
}

/** How far apart neighbours along each axis are. */
export function strides(shape) {
  const steps = new Array(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) steps[i] = steps[i + 1] * shape[i + 1];
  return steps;
}

/** Calls back with a place in each of one or two arrays, for all positions of a shape, in order. */
export function walk(shape, steps, starts, visit) {
  const last = shape.length - 1;
  const go = (axis, places) => {
    if (axis > last) return visit(...places);
    const by = steps.map((step) => step[axis]);
    if (axis < last) {
      for (let i = 0; i < shape[axis]; i++)
        go(axis + 1, places.map((place, k) => place + i * by[k]));
      return;
    }
    let [one, two = 0] = places;
    const [first, second = 0] = by;
    for (let i = 0; i < shape[axis]; i++, one += first, two += second) visit(one, two);
  };
  go(0, starts);
}

/** The steps of an array that is read again and again where it has a side of 1, or none. */
export function spread(shape, whole) {
  const own = strides(shape);
  const missing = whole.length - shape.length;
  return whole.map((_, i) => (i < missing || shape[i - missing] === 1 ? 0 : own[i - missing]));
}

function pairs(rule, [one, two], shape) {
  const out = new Float64Array(size(shape));
  if (two.data.length === 1) return one.data.map((x) => rule(x, two.data[0]));
  let at = 0;
  const steps = [spread(one.shape, shape), spread(two.shape, shape)];
  walk(shape, steps, [0, 0], (a, b) => {
    out[at++] = rule(one.data[a], two.data[b]);
  });
  return out;
}

function reduced(op, { shape, data }, axes) {
  const [start, rule] = REDUCTIONS[op];
  const kept = shape.map((side, i) => (axes.includes(i) ? 1 : side));
  const out = new Float64Array(size(kept)).fill(start);
  walk(shape, [strides(shape), spread(kept, shape)], [0, 0], (from, to) => {
    out[to] = rule(out[to], data[from]);
  });
  const count = size(axes.map((axis) => shape[axis]));
  return op === "ReduceMean" ? out.map((sum) => sum / count) : out;
}

/** Copies maps with zeros around them. */
function padded({ shape: [maps, height, width], data }, [top, left, bottom, right]) {
  const [rows, columns] = [height + top + bottom, width + left + right];
  if (rows === height && columns === width) return { data, rows, columns };
  const out = new Float64Array(maps * rows * columns);
  for (let i = 0; i < maps * height; i++) {
    const to = (Math.floor(i / height) * rows + (i % height) + top) * columns + left;
    out.set(data.subarray(i * width, (i + 1) * width), to);
  }
  return { data: out, rows, columns };
}

function convolution([given, weight, bias], shape, at) {
  const [maps, height, width] = shape;
  const share = maps / at.group;
  const source = padded(given, at.pads);
  const out = new Float64Array(size(shape));
  const seen = new Float64Array(width * size(weight.shape.slice(1)));
  for (let g = 0; g < at.group; g++)
    for (let r = 0; r < height; r++) {
      look(seen, source, weight.shape, at, g, r, width);
      for (let o = g * share; o < (g + 1) * share; o += AT_ONCE) {
        const count = Math.min(AT_ONCE, (g + 1) * share - o);
        sums(out, (o * height + r) * width, height * width, seen, width, weight, bias, o, count);
      }
    }
  return out;
}

/** Writes what each unit of a row sees, one after the other. */
function look(seen, source, [, per, high, wide], at, group, row, width) {
  const [[down, across], [one, two]] = [at.strides, at.dilations];
  let to = 0;
  for (let c = 0; c < width; c++)
    for (let i = group * per; i < (group + 1) * per; i++)
      for (let k = 0; k < high; k++) {
        const from = (i * source.rows + row * down + k * one) * source.columns + c * across;
        for (let l = 0; l < wide; l++) seen[to++] = source.data[from + l * two];
      }
}

const AT_ONCE = 4; // maps that are computed together: what a unit sees is read once for all

/** Writes the sums of a row of units, in `count` maps from `first` on, `apart` from map to map. */
function sums(out, to, apart, seen, width, weight, bias, first, count) {
  const long = seen.length / width;
  const starts = [0, 1, 2, 3].map((k) => (bias && k < count ? bias.data[first + k] : 0));
  const answers = new Float64Array(AT_ONCE);
  for (let c = 0; c < width; c++) {
    answers.set(starts);
    if (count === AT_ONCE) addFour(answers, seen, c * long, weight.data, first * long, long);
    else
      for (let k = 0; k < count; k++)
        answers[k] += dot(seen, c * long, weight.data, (first + k) * long, long);
    for (let k = 0; k < count; k++) out[to + c + k * apart] = answers[k];
  }
}

/** Adds the products of what is seen with four rows of weights. */
function addFour(answers, seen, from, weights, row, long) {
  let [one, two, three, four] = [answers[0], answers[1], answers[2], answers[3]];
  const [second, third, fourth] = [row + long, row + 2 * long, row + 3 * long];
  for (let i = 0; i < long; i++) {
    const value = seen[from + i];
    one += weights[row + i] * value;
    two += weights[second + i] * value;
    three += weights[third + i] * value;
    four += weights[fourth + i] * value;
  }
  answers[0] = one;
  answers[1] = two;
  answers[2] = three;
  answers[3] = four;
}

/** The sum of the products of what is seen with a row of weights. */
function dot(seen, from, weights, row, long) {
  let sum = 0;
  for (let i = 0; i < long; i++) sum += weights[row + i] * seen[from + i];
  return sum;
}

function pooling([given], shape, at, op) {
  const [maps, height, width] = shape;
  const [, rows, columns] = given.shape;
  const [[high, wide], [down, across], [top, left]] = [at.kernel_shape, at.strides, at.pads];
  const [one, two] = at.dilations ?? [1, 1];
  const largest = op === "MaxPool";
  const out = new Float64Array(size(shape));
  for (let o = 0, to = 0; o < maps; o++)
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++, to++) {
        let [best, sum, count] = [-Infinity, 0, 0];
        for (let k = 0; k < high; k++)
          for (let l = 0; l < wide; l++) {
            const [row, column] = [r * down - top + k * one, c * across - left + l * two];
            if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
            const v = given.data[(o * rows + row) * columns + column];
            if (v > best) best = v;
            sum += v;
            count++;
          }
        out[to] = largest ? best : sum / count;
      }
  return out;
}

function dense([given, weight, bias], shape) {
  const inputs = weight.shape[1];
  const units = { length: size(shape) };
  return Float64Array.from(
    units,
    (_, o) => (bias ? bias.data[o] : 0) + dot(given.data, 0, weight.data, o * inputs, inputs),
  );
}

function product([one, two], shape) {
  const [rows, columns] = shape.slice(-2);
  const inner = one.shape[one.shape.length - 1];
  const [left, right] = [one, two].map((v) => (v.shape.length > 2 ? size(v.shape.slice(-2)) : 0));
  const out = new Float64Array(size(shape));
  for (let o = 0, to = 0; to < out.length; o++)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, to++) {
        let sum = 0;
        for (let i = 0; i < inner; i++)
          sum += one.data[o * left + r * inner + i] * two.data[o * right + i * columns + c];
        out[to] = sum;
      }
  return out;
}

function softmax([{ data }], shape, { axis }, op) {
  const out = new Float64Array(data.length);
  const after = size(shape.slice(axis + 1));
  const count = shape[axis];
  for (let a = 0; a < data.length; a += count * after)
    for (let b = a; b < a + after; b++) {
      const places = Array.from({ length: count }, (_, i) => b + i * after);
      const most = Math.max(...places.map((at) => data[at]));
      const sum = places.reduce((total, at) => total + Math.exp(data[at] - most), 0);
      for (const at of places)
        out[at] =
          op === "Softmax" ? Math.exp(data[at] - most) / sum : data[at] - most - Math.log(sum);
    }
  return out;
}

function transpose([given], shape, { perm }) {
  const steps = strides(given.shape);
  return gathered(given, shape, perm.map((axis) => steps[axis]), 0);
}

function slice([given], shape, { axis, start, step }) {
  const steps = strides(given.shape);
  const first = start * steps[axis];
  return gathered(given, shape, steps.map((by, i) => (i === axis ? by * step : by)), first);
}

function gathered({ data }, shape, steps, first) {
  const out = new Float64Array(size(shape));
  let to = 0;
  walk(shape, [steps], [first], (from) => {
    out[to++] = data[from];
  });
  return out;
}

function pad([given], shape, { starts, value }) {
  const out = new Float64Array(size(shape)).fill(value);
  const steps = strides(shape);
  const first = starts.reduce((sum, start, i) => sum + start * steps[i], 0);
  walk(given.shape, [strides(given.shape), steps], [0, first], (from, to) => {
    out[to] = given.data[from];
  });
  return out;
}

function concat(parts, shape, { axis }) {
  const out = new Float64Array(size(shape));
  const steps = strides(shape);
  let first = 0;
  for (const part of parts) {
    walk(part.shape, [strides(part.shape), steps], [0, first], (from, to) => {
      out[to] = part.data[from];
    });
    first += part.shape[axis] * steps[axis];
  }
  return out;
}

/** The error function; Abramowitz and Stegun (1964), 7.1.26: off by 1.5e-7 at most. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const sum = terms.reduce((total, term) => (total + term) * t, 0);
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/**
 * Returns a graph's constants out of its file: float32, little-endian.
 * @param {Graph} graph
 * @param {ArrayBuffer} buffer
 * @returns {Record<string, Value>}
 */
export function constantsOf(graph, buffer) {
  const all = new Float32Array(buffer);
  const found = ([name, [shape, first]]) => {
    const data = Float64Array.from(all.subarray(first, first + size(shape)));
    return [name, { shape, data }];
  };
  return Object.fromEntries(Object.entries(graph.constants).map(found));
}
