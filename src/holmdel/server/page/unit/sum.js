/** The weighted sum of one unit, computed again. No DOM. */

/** @import { Unit } from "../types.d.ts" */

/**
 * @param {number[]} terms
 * @returns {number} their sum, rounded once at the end (Shewchuk, 1997, as Python's math.fsum).
 */
export function exactSum(terms) {
  const parts = [];
  for (let term of terms) {
    let kept = 0;
    for (let part of parts) {
      if (Math.abs(term) < Math.abs(part)) [term, part] = [part, term];
      const high = term + part;
      const low = part - (high - term);
      if (low) parts[kept++] = low;
      term = high;
    }
    parts.length = kept;
    parts.push(term);
  }
  return rounded(parts);
}

function rounded(parts) {
  let at = parts.length - 1;
  if (at < 0) return 0;
  let [sum, low] = [parts[at], 0];
  while (at > 0 && !low) {
    const before = sum;
    sum = before + parts[--at];
    low = parts[at] - (sum - before);
  }
  if (at > 0 && low * parts[at - 1] > 0) {
    const twice = 2 * low;
    if (sum + twice - sum === twice) sum += twice; // halfway: the rest decides
  }
  return sum;
}

const planes = (values) => (Array.isArray(values[0]) ? values : [[values]]);

/**
 * Returns what a unit adds up, term by term.
 * @param {Unit} unit the answer of /v1/unit.
 * @returns {{at: number[], seen: number, weight: number, product: number}[]} `at` is [channel, row,
 *   column] in the layer before, or [unit] of a vector; empty where nothing is added.
 */
export function termsOf({ before, patch, kernel }) {
  if (!patch || !kernel) return [];
  const vector = !Array.isArray(patch[0]);
  return planes(patch).flatMap((plane, c) =>
    plane.flatMap((row, r) =>
      row.map((seen, x) => {
        const weight = planes(kernel)[c][r][x];
        const at = vector
          ? placeOf(before.channels[x] ?? x, before.shape)
          : placed(before, c, r, x);
        return { at, seen, weight, product: seen * weight };
      }),
    ),
  );
}

function placed({ channels, window }, plane, row, column) {
  return [channels[plane] ?? plane, (window?.top ?? 0) + row, (window?.left ?? 0) + column];
}

/** Returns where a number of a flattened layer was: [channel, row, column]. */
function placeOf(index, shape) {
  if (shape.length !== 3) return [index];
  const [, height, width] = shape;
  const rest = index % (height * width);
  return [Math.floor(index / (height * width)), Math.floor(rest / width), rest % width];
}

/**
 * Adds up a unit's products and its bias, and compares.
 * @param {Unit} unit the answer of /v1/unit.
 * @param {{product: number}[]} terms of `termsOf`.
 * @returns {{products: number, total: number, same: boolean}} `same`: to the last bit what the
 *   server says.
 */
export function addUp(unit, terms) {
  const products = terms.map((term) => term.product);
  const total = exactSum([...products, unit.bias ?? 0]);
  return { products: exactSum(products), total, same: total === unit.sum };
}

/**
 * @param {Unit} unit the answer of /v1/unit, of a convolution or a pooling.
 * @returns {{plane: number, channel: number, sum: number}[]} its channels, those first whose
 *   products have the largest sum.
 */
export function strongest({ before, patch, kernel }) {
  const sums = patch.map((plane, c) => {
    const products = plane.flatMap((row, r) =>
      row.map((seen, x) => seen * (kernel?.[c][r][x] ?? 1)),
    );
    return { plane: c, channel: before.channels[c] ?? c, sum: exactSum(products) };
  });
  return sums.sort((one, other) => Math.abs(other.sum) - Math.abs(one.sum));
}

export const FUNCTIONS = {
  relu: (x) => Math.max(0, x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  scaled_tanh: (x) => 1.7159 * Math.tanh((2 / 3) * x),
};

/**
 * @param {{product: number}[]} terms of a sum.
 * @returns {number} how many digits behind the point a sum of them in 64 bits has, in any order.
 */
export function placesOf(terms) {
  const most = terms.reduce((size, { product }) => Math.max(size, Math.abs(product)), 1e-3);
  return Math.max(0, Math.min(15, 12 - Math.ceil(Math.log10(most))));
}

/**
 * Returns what each map, or each unit of a vector, adds to a unit, the largest first.
 * @param {Unit} unit the answer of /v1/unit.
 * @returns {{channel: number, sum: number}[]} empty for what is no sum.
 */
export function partsOf(unit) {
  const { patch, kernel, before } = unit;
  if (!patch || !kernel) return [];
  if (Array.isArray(patch[0])) return strongest(unit);
  const terms = patch.map((seen, i) => ({ channel: before.channels[i] ?? i, sum: seen * kernel[i] }));
  return terms.sort((one, other) => Math.abs(other.sum) - Math.abs(one.sum));
}
