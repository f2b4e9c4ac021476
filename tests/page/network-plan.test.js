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
const room = (width, height, down = false) => ({ width, height, down, whole: false, caption: (_, own) => [80, 50, 7 * own.length], group: (name) => 6 * name.length });

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

const RESIDUAL = [
  layer("input", "Input", [1, 28, 28], []),
  ...["conv1", "norm1", "conv2"].map((name, i, all) =>
    layer(`stage1.block1.${name}`, "Conv2d", [128, 28, 28], [i ? `stage1.block1.${all[i - 1]}` : "input"])),
  layer("stage1.block1.add", "add", [128, 28, 28], ["stage1.block1.conv2", "input"]),
  layer("head.output", "Linear", [10], ["stage1.block1.add"]),
];

test("what names have in common is said once, above their columns", () => {
  const { own, groups } = plan(RESIDUAL, room(860, 310));
  assert.deepEqual(groups.map(({ name }) => name), ["stage1.block1", "head"]);
  assert.deepEqual([...own.values()], ["input", "conv1", "norm1", "conv2", "add", "output"]);
});

test("a shortcut goes below the maps that it leaves out", () => {
  const made = plan(RESIDUAL, room(860, 310));
  assert.deepEqual([...made.shortcuts], [["input>stage1.block1.add", 0]]);
  assert.ok(made.floor < 310);
  for (const { y, height } of made.places.values()) assert.ok(y + height <= made.floor + 1);
});

test("a column is as wide as its name, and as its whole caption where the network is scrolled", () => {
  const deep = Array.from({ length: 40 }, (_, i) => layer(`conv${i}`, "Conv2d", [64, 24, 24], i ? [`conv${i - 1}`] : []));
  const { places, length } = plan(deep, room(860, 310));
  assert.ok(length > 860);
  for (const { slot } of places.values()) assert.ok(slot.extent >= 80);
});
