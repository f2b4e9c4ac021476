/** Where to begin: units that are worth a look, in any network. No DOM. */

/** @import { Layer, Picture } from "../types.d.ts" */

/** @typedef {{convolution?: Place, pooling?: Place, output?: Place, softmax: Place}} Tour */
/** @typedef {{layer: string, unit: number[]}} Place */

/**
 * @param {Layer[]} layers in running order
 * @param {number[]} probabilities of the classes
 * @param {(layer: string) => Picture | null} picture
 * @returns {Tour} the strongest unit of a convolution in which maps meet, where there is one, and of a
 *   pooling; the class that wins, as a sum and as a probability.
 */
export function tourOf(layers, probabilities, picture) {
  const convolutions = layers.filter(({ kind, shape }) => /Conv/.test(kind) && shape.length === 3);
  const best = probabilities.indexOf(Math.max(...probabilities));
  const strongest = (/** @type {Layer | undefined} */ layer) => layer && { layer: layer.name, unit: strongestOf(picture(layer.name)) };
  const last = layers[layers.length - 1];
  return {
    convolution: strongest(convolutions[1] ?? convolutions[0]),
    pooling: strongest(layers.find(({ kind, shape }) => /Pool/.test(kind) && shape.length === 3)),
    output: /Linear/.test(last.kind) ? { layer: last.name, unit: [Math.max(0, best)] } : undefined,
    softmax: { layer: "softmax", unit: [Math.max(0, best)] },
  };
}

/** @returns {number[]} [map, row, column] of the largest value that is shown. */
function strongestOf(/** @type {Picture | null} */ found) {
  if (!found) return [0, 0, 0];
  const { bytes, layer } = found;
  const [, height, width] = layer.shape;
  const at = bytes.reduce((most, byte, i) => (byte > bytes[most] ? i : most), 0);
  return [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
}
