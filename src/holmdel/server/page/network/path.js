/** What a unit hangs on, layer by layer back to the input. No DOM. */

/** @import { Box, Layer, PathStep } from "../types.d.ts" */

const SAME_MAP = /Pool|ReLU|Sigmoid|Tanh|Softplus|ELU|GELU|SiLU|Hard|Norm2d|Dropout|Identity|Subsampl/;

/**
 * Returns the part of each layer before a unit that its value depends on, the nearest layer first.
 * @param {Layer[]} layers in running order, the input first
 * @param {string} name of the unit's layer
 * @param {number[]} unit [map, row, column], or [unit] of a vector
 * @returns {PathStep[]} `maps` null for all of them, `box` null for whole maps
 */
export function pathOf(layers, name, unit) {
  const known = new Map(layers.map((layer) => [layer.name, layer]));
  const own = known.get(name);
  if (!own) return [];
  const field = fieldOf(own, unit);
  /** @type {Map<string, number[] | null>} */
  const reached = new Map([[name, [unit[0]]]]);
  const found = [];
  for (const layer of [...layers.slice(0, layers.indexOf(own) + 1)].reverse()) {
    const maps = reached.get(layer.name);
    if (maps === undefined) continue;
    if (layer !== own) found.push({ layer: layer.name, maps, box: regionOf(layer, field) });
    for (const input of inputsOf(layer, layers)) {
      const before = known.get(input);
      if (before) reached.set(input, joined(reached.get(input), through(layer, before, maps)));
    }
  }
  return found;
}

function inputsOf(layer, layers) {
  const known = layer.inputs.filter((name) => layers.some((one) => one.name === name));
  const at = layers.indexOf(layer);
  return known.length || !at ? known : [layers[at - 1].name];
}

/** Which maps of the layer before some maps come from; null for all. */
function through(layer, before, maps) {
  const alike = layer.shape.length === before.shape.length && layer.shape[0] === before.shape[0];
  return alike && !layer.stage && SAME_MAP.test(layer.kind) ? maps : null;
}

function joined(before, more) {
  if (before === undefined) return more;
  return before === null || more === null ? null : [...new Set([...before, ...more])];
}

/**
 * Returns the pixels of the input that a unit sees, by its layer's receptive field.
 * @param {Pick<Layer, "receptive_field">} layer
 * @param {number[]} unit [map, row, column]
 * @returns {Box | null} null where that is not known, or all
 */
export function fieldOf({ receptive_field: field }, unit) {
  if (!field || unit.length !== 3) return null;
  const [top, left] = [0, 1].map((axis) => field.offset[axis] + unit[axis + 1] * field.stride[axis]);
  return { top, left, height: field.size[0], width: field.size[1] };
}

/** The units of a layer whose own fields lie inside a field; null for all. */
function regionOf(layer, field) {
  const own = layer.receptive_field;
  if (layer.shape.length !== 3 || !field || !own) return null;
  const [begin, size] = [[field.top, field.left], [field.height, field.width]];
  const [rows, columns] = [0, 1].map((axis) => {
    const first = Math.ceil((begin[axis] - own.offset[axis]) / own.stride[axis]);
    const last = Math.floor((begin[axis] + size[axis] - own.size[axis] - own.offset[axis]) / own.stride[axis]);
    return [Math.max(first, 0), Math.min(last, layer.shape[axis + 1] - 1)];
  });
  if (rows[1] < rows[0] || columns[1] < columns[0]) return null;
  return { top: rows[0], left: columns[0], height: rows[1] - rows[0] + 1, width: columns[1] - columns[0] + 1 };
}
