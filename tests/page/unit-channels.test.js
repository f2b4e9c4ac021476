import assert from "node:assert/strict";
import { test } from "node:test";

import { asBytes, channelsOf, partialMap, sweepOf } from "../../src/holmdel/server/page/unit/channels.js";
import { tourOf } from "../../src/holmdel/server/page/unit/tour.js";

const UNIT = {
  operation: "convolution",
  unit: [1, 1, 2],
  before: { layer: "s", shape: [3, 4, 5], channels: [1, 2], window: { top: 1, left: 3, height: 2, width: 2 } },
  patch: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
  kernel: [[[1, 0], [0, -1]], [[2, 0], [0, 1]]],
};
const field = (size, stride, offset) => ({ receptive_field: { size: [size, size], stride: [stride, stride], offset: [offset, offset] } });

test("each map adds its products, the largest first", () => {
  const found = channelsOf(/** @type {any} */ (UNIT));
  assert.deepEqual(found.map(({ channel, sum }) => [channel, sum]), [[2, 18], [1, -3]]);
  assert.deepEqual(found[0].products, [[10, 0], [0, 8]]);
});

test("behind a vector, and in a pooling, no maps meet", () => {
  const vector = { ...UNIT, operation: "linear", patch: [1, 2], kernel: [3, 4], before: { ...UNIT.before, shape: [2] } };
  assert.deepEqual(channelsOf(/** @type {any} */ (vector)), []);
  assert.deepEqual(channelsOf(/** @type {any} */ ({ ...UNIT, operation: "average" })), []);
  assert.deepEqual(channelsOf(/** @type {any} */ ({ ...UNIT, patch: null, kernel: null })), []);
});

test("a kernel's steps follow from what both layers see of the image", () => {
  // behind a layer with a stride of 2, windows 3 wide, 2 apart, hanging 1 over the edge
  const unit = { unit: [0, 1, 2], before: { window: { top: 1, left: 3, height: 3, width: 3 } }, kernel: [[[1, 1, 1], [1, 1, 1], [1, 1, 1]]] };
  assert.deepEqual(sweepOf(field(7, 4, -3), field(2, 2, 0), /** @type {any} */ (unit)), { strides: [2, 2], begin: [-1, -1], dilations: [1, 1] });
  const dilated = { ...unit, before: { window: { top: 1, left: 3, height: 5, width: 5 } } };
  assert.deepEqual(sweepOf(field(9, 2, 0), field(2, 2, 0), /** @type {any} */ (dilated))?.dilations, [2, 2]);
  assert.equal(sweepOf({ receptive_field: null }, field(2, 2, 0), /** @type {any} */ (unit)), null);
});

test("a partial map is the map's correlation with its kernel, zeros beside it", () => {
  const map = [1, 2, 3, 4, 5, 6, 7, 8, 9]; // 3 x 3
  const sweep = { strides: [2, 2], begin: [-1, -1], dilations: [1, 1] };
  const found = partialMap((i) => map[i], [1, 3, 3], [[1, 2], [3, 4]], sweep, [2, 2]);
  // [0 0; 0 1], [0 0; 2 3], [0 4; 0 7], [5 6; 8 9] times the kernel, by hand
  assert.deepEqual([...found], [4, 6 + 12, 8 + 28, 5 + 12 + 24 + 36]);
  const apart = partialMap((i) => map[i], [1, 3, 3], [[1, 1], [1, 1]], { strides: [1, 1], begin: [0, 0], dilations: [2, 2] }, [1, 1]);
  assert.deepEqual([...apart], [1 + 3 + 7 + 9]);
});

test("bytes of values have zero in the middle", () => {
  assert.deepEqual([...asBytes([-2, 0, 2], 2)], [0, 128, 255]);
  assert.deepEqual([...asBytes([0], 0)], [128]);
});

test("the tour begins where maps meet, at the strongest unit", () => {
  const layer = (name, kind, shape) => /** @type {any} */ ({ name, kind, shape });
  const layers = [layer("input", "Input", [1, 4, 4]), layer("c1", "Conv2d", [2, 2, 2]), layer("s2", "MaxPool2d", [2, 1, 1]), layer("c3", "Conv2d", [2, 2, 3]), layer("out", "Linear", [3])];
  const bytes = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 11]);
  const picture = (name) => /** @type {any} */ ({ layer: layers.find((one) => one.name === name), bytes, low: 0, high: 1 });
  assert.deepEqual(tourOf(layers, [0.1, 0.7, 0.2], picture), {
    convolution: { layer: "c3", unit: [1, 1, 1] },
    pooling: { layer: "s2", unit: [10, 0, 0] },
    output: { layer: "out", unit: [1] },
    softmax: { layer: "softmax", unit: [1] },
  });
  const flat = tourOf([layers[0], layer("out", "Linear", [3])], [1, 0, 0], picture);
  assert.deepEqual([flat.convolution, flat.pooling, flat.output?.unit], [undefined, undefined, [0]]);
});
