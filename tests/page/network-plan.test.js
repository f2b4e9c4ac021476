import assert from "node:assert/strict";
import { test } from "node:test";

import { pathOf } from "../../src/holmdel/server/page/network/path.js";
import { plan } from "../../src/holmdel/server/page/network/plan.js";

const field = (size, stride, offset) => ({ size: [size, size], stride: [stride, stride], offset: [offset, offset] });
const layer = (name, kind, shape, inputs, receptive_field = null) =>
  ({ name, kind, detail: "", shape, shown: shape[0], inputs, kernels: kind === "Conv2d", receptive_field });
const LENET = [
  layer("input", "Input", [1, 28, 28], [], field(1, 1, 0)),
  layer("c1", "Conv2d", [6, 28, 28], ["input"], field(5, 1, -2)),
  layer("act1", "ReLU", [6, 28, 28], ["c1"], field(5, 1, -2)),
  layer("s2", "MaxPool2d", [6, 14, 14], ["act1"], field(6, 2, -2)),
  layer("c3", "Conv2d", [16, 10, 10], ["s2"], field(14, 2, -2)),
  layer("flatten", "Flatten", [1600], ["c3"]),
  layer("f5", "Linear", [120], ["flatten"]),
  layer("output", "Linear", [10], ["f5"]),
];
const room = (width, height, down = false) => ({ width, height, down, whole: false });

for (const [width, height] of [[860, 310], [1200, 480], [2200, 900], [640, 420]]) {
  test(`a network lies within ${width} x ${height}, no layer over another`, () => {
    const made = plan(LENET, room(width, height));
    assert.equal(made.length, width);
    let right = -1;
    for (const { name } of LENET) {
      const { x, y, width: wide, height: high } = made.places.get(name);
      assert.ok(x > right && x + wide <= width + 1, name);
      assert.ok(y >= 34 && y + high <= height + 1, name);
      right = x + wide;
    }
  });
}

test("in a larger room the maps are larger", () => {
  const side = (width, height) => plan(LENET, room(width, height)).places.get("c3").geometry.size;
  assert.ok(side(2200, 900) > side(860, 310));
});

test("on a phone it goes from top to bottom", () => {
  const made = plan(LENET, room(360, 500, true));
  const tops = LENET.map(({ name }) => made.places.get(name).y);
  assert.deepEqual([...tops].sort((a, b) => a - b), tops);
  const last = made.places.get("output");
  assert.ok(last.y + last.height <= 501);
  for (const { x, width } of made.places.values()) assert.ok(x + width <= 361);
});

test("a unit hangs on a part of each layer before it", () => {
  const steps = Object.fromEntries(pathOf(LENET, "c3", [7, 4, 6]).map((step) => [step.layer, step]));
  assert.deepEqual(steps.s2, { layer: "s2", maps: null, box: { top: 4, left: 6, height: 5, width: 5 } });
  assert.deepEqual(steps.input.box, { top: 6, left: 10, height: 14, width: 14 });
  assert.deepEqual(steps.c1.box, { top: 8, left: 12, height: 10, width: 10 });
});

test("a pooling hangs on one map, a dense layer on all of them", () => {
  const pooled = Object.fromEntries(pathOf(LENET, "s2", [3, 1, 1]).map((step) => [step.layer, step.maps]));
  assert.deepEqual([pooled.act1, pooled.c1, pooled.input], [[3], [3], null]);
  for (const { maps, box } of pathOf(LENET, "output", [2])) assert.deepEqual([maps, box], [null, null]);
});
