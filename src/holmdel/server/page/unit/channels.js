/** What each map of the layer before adds to a unit, and to its whole map. No DOM. */

import { strongest } from "./sum.js";

/** @import { Channel, Layer, Sweep, Unit } from "../types.d.ts" */

/**
 * Returns the parts of a unit's sum, one for each map of the layer before, the largest first.
 * @param {Unit} unit the answer of /v1/unit
 * @returns {Channel[]} empty where no maps meet in it: in a pooling, or behind a vector
 */
export function channelsOf(unit) {
  const { operation, before, patch, kernel } = unit;
  if (!Array.isArray(patch?.[0]) || !kernel || before.shape.length !== 3) return [];
  if (operation !== "convolution" && operation !== "linear") return [];
  return addedBy(unit);
}

/**
 * Returns what each plane of a patch adds to a unit, with its products, the largest first.
 * @param {Unit} unit the answer of /v1/unit, of a sum over maps: an average has one
 * @returns {Channel[]}
 */
export function addedBy(unit) {
  return strongest(unit).map((one) => {
    const [seen, weights] = [unit.patch[one.plane], unit.kernel[one.plane]];
    return { ...one, seen, weights, products: seen.map((row, r) => row.map((value, c) => value * weights[r][c])) };
  });
}

/**
 * Returns how a kernel goes over the layer before, by what both layers see of the image.
 * @param {Pick<Layer, "receptive_field">} own
 * @param {Pick<Layer, "receptive_field"> | undefined} before
 * @param {Unit} unit
 * @returns {Sweep | null} null where that is not known
 */
export function sweepOf(own, before, { unit, before: { window }, kernel }) {
  const [field, given] = [own.receptive_field, before?.receptive_field];
  if (!field || !given || !window || unit.length !== 3) return null;
  const [height, width] = [kernel[0].length, kernel[0][0].length];
  const strides = [0, 1].map((axis) => field.stride[axis] / given.stride[axis]);
  if (!strides.every(Number.isInteger)) return null;
  const begin = [window.top - unit[1] * strides[0], window.left - unit[2] * strides[1]];
  const apart = (span, taps) => (taps > 1 ? (span - 1) / (taps - 1) : 1);
  return { strides, begin, dilations: [apart(window.height, height), apart(window.width, width)] };
}

/**
 * Returns what one map of the layer before adds to every unit of a map.
 * @param {(index: number) => number} valueAt the map's values, row by row
 * @param {number[]} shape (maps, height, width) of the layer before
 * @param {number[][]} weights of its kernel
 * @param {Sweep} sweep
 * @param {number[]} size [rows, columns] of what comes out
 * @returns {Float64Array} row by row
 */
export function partialMap(valueAt, [, height, width], weights, { strides, begin, dilations }, [rows, columns]) {
  const found = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) {
        const y = begin[0] + row * strides[0] + k * dilations[0];
        if (y < 0 || y >= height) continue;
        for (let l = 0; l < weights[k].length; l++) {
          const x = begin[1] + column * strides[1] + l * dilations[1];
          if (x >= 0 && x < width) sum += valueAt(y * width + x) * weights[k][l];
        }
      }
      found[row * columns + column] = sum;
    }
  }
  return found;
}

/** @param {ArrayLike<number>} values @param {number} most the magnitude of the full colour @returns {Uint8Array} a byte each, 0 for -most. */
export function asBytes(values, most) {
  return Uint8Array.from(values, (value) => Math.round(255 * (0.5 + value / (2 * (most || 1)))));
}
