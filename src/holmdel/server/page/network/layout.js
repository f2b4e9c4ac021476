/** Where each layer goes, and how large its maps are. No DOM. */

/** @import { Arrangement } from "../types.d.ts" */

const GAP = 4; // CSS pixels between two maps, about
const MOST_ACROSS = 16; // kernels in a row

/**
 * Places layers in columns by how far they are from the input, and branches in lanes.
 * @param {{name: string, inputs: string[]}[]} layers in running order
 * @returns {Arrangement}
 */
export function arrange(layers) {
  const known = new Map();
  const takers = new Map();
  const edges = [];
  layers.forEach((layer, at) => {
    const inputs = layer.inputs.filter((name) => known.has(name));
    if (!inputs.length && at) inputs.push(layers[at - 1].name);
    for (const name of inputs) {
      takers.set(name, [...(takers.get(name) ?? []), layer.name]);
      edges.push([name, layer.name]);
    }
    known.set(layer.name, inputs);
  });
  /** @type {Arrangement["places"]} */
  const places = new Map();
  for (const [name, inputs] of known) places.set(name, placed(name, inputs, takers, places));
  const width = Math.max(...[...places.values()].map((place) => place.column)) + 1;
  const used = new Array(width).fill(0);
  for (const place of places.values()) used[place.column]++;
  for (const place of places.values()) place.alone = used[place.column] === 1;
  const lanes = Math.max(...[...places.values()].map((place) => place.lane)) + 1;
  return { columns: width, lanes, places, edges };
}

function placed(name, inputs, takers, places) {
  if (!inputs.length) return { column: 0, lane: 0, alone: false };
  const before = inputs.map((input) => places.get(input));
  const column = Math.max(...before.map((place) => place.column)) + 1;
  if (inputs.length > 1) return { column, lane: Math.min(...before.map((place) => place.lane)), alone: false };
  return { column, lane: before[0].lane + takers.get(inputs[0]).indexOf(name), alone: false };
}

/** How many CSS pixels a unit of a map is across: whole numbers, so that units stay square. */
function unitSize(longest, crowded) {
  const wanted = crowded ? 30 : longest >= 24 ? 56 : longest >= 8 ? 42 : longest > 2 ? 30 : 12;
  if (longest > 2 * wanted) return 0.5 * Math.max(0.25, Math.floor((4 * wanted) / longest) / 2);
  if (longest > wanted) return longest > 1.5 * wanted ? 0.5 : 1;
  return Math.max(1, Math.floor(wanted / longest));
}

/**
 * Returns how a layer's maps lie in its canvas, in units: a unit is one pixel of the canvas.
 * @param {number[]} shape [C, H, W], or [n] of a vector
 * @param {number} shown how many maps, or units of a vector, there are to show
 * @param {number} room CSS pixels of height that there are
 * @param {{crowded?: boolean, picture?: boolean}} options crowded: beside other branches; picture:
 *   the maps are the channels of one picture
 */
export function geometry(shape, shown, room, options = {}) {
  if (shape.length !== 3) return ofVector(shown, room);
  const [, height, width] = shape;
  const size = options.picture
    ? pictureUnit(Math.max(height, width))
    : unitSize(Math.max(height, width), options.crowded);
  const gap = Math.max(1, Math.round(GAP / size));
  const rows = Math.max(1, Math.floor((room / size + gap) / (height + gap)));
  const columns = Math.ceil(shown / rows);
  return grid({ height, width, gap, size, columns, rows: Math.ceil(shown / columns), shown });
}

function pictureUnit(longest) {
  return longest > 112 ? 0.5 : Math.max(1, Math.floor(84 / longest));
}

function ofVector(shown, room) {
  const size = shown <= 20 ? 18 : shown <= 130 ? 9 : shown <= 600 ? 6 : 3;
  const rows = Math.min(shown, Math.max(1, Math.floor(room / size)));
  const columns = Math.ceil(shown / rows);
  const even = Math.ceil(shown / columns);
  return grid({ height: 1, width: 1, gap: 0, size, columns, rows: even, shown });
}

/**
 * Returns how kernels lie in a canvas: a column a map of the layer and a row a map of the layer
 * before, or rows of them where that has one map.
 * @param {number[]} shape [outs, ins, H, W]
 * @param {number[]} shown [outs, ins] of these
 * @param {number} side CSS pixels that a kernel is across, about
 */
export function kernelGeometry([, , height, width], [outs, ins], side) {
  const size = Math.max(2, Math.floor(side / Math.max(height, width)));
  const rows = ins > 1 ? ins : Math.ceil(outs / MOST_ACROSS);
  const columns = Math.ceil((outs * ins) / rows);
  return grid({ height, width, gap: 1, size, columns, rows, shown: outs * ins });
}

/** @typedef {ReturnType<typeof grid>} Geometry how maps lie in a canvas. */

/**
 * @param {{height: number, width: number, gap: number, size: number, columns: number,
 *   rows: number, shown: number}} geometry
 */
export function grid(geometry) {
  const { columns, rows, width, height, gap } = geometry;
  return {
    ...geometry,
    canvasWidth: columns * (width + gap) - gap,
    canvasHeight: rows * (height + gap) - gap,
  };
}

/** Returns where a map begins in its layer's canvas, [x, y] in units. Maps go down, then right. */
export function origin(geometry, map) {
  const { rows, width, height, gap } = geometry;
  return [Math.floor(map / rows) * (width + gap), (map % rows) * (height + gap)];
}

/**
 * Returns the unit at a point of a layer's canvas, [map, row, column], or null between two maps.
 * @param {number} x CSS pixels from the left
 * @param {number} y CSS pixels from the top
 */
export function unitAt(geometry, x, y) {
  const { rows, columns, width, height, gap, size, shown } = geometry;
  const [left, top] = [Math.floor(x / size), Math.floor(y / size)];
  const [gridColumn, column] = [Math.floor(left / (width + gap)), left % (width + gap)];
  const [gridRow, row] = [Math.floor(top / (height + gap)), top % (height + gap)];
  const map = gridColumn * rows + gridRow;
  const inside = left >= 0 && top >= 0 && gridColumn < columns && gridRow < rows && map < shown;
  return inside && column < width && row < height ? [map, row, column] : null;
}
