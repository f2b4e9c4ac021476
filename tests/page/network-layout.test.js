import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange, geometry, kernelGeometry, origin, unitAt } from "../../src/holmdel/server/page/network/layout.js";

test("a chain of layers stands in one lane, a column each", () => {
  const plan = arrange([
    { name: "input", inputs: [] },
    { name: "c1", inputs: ["input"] },
    { name: "s2", inputs: ["c1"] },
  ]);
  assert.deepEqual([plan.columns, plan.lanes], [3, 1]);
  assert.deepEqual(plan.places.get("s2"), { column: 2, lane: 0, alone: true });
  assert.deepEqual(plan.edges, [["input", "c1"], ["c1", "s2"]]);
});

test("branches get lanes of their own until they are joined", () => {
  const plan = arrange([
    { name: "input", inputs: [] },
    { name: "left", inputs: ["input"] },
    { name: "right", inputs: ["input"] },
    { name: "join", inputs: ["left", "right"] },
  ]);
  assert.deepEqual(plan.places.get("right"), { column: 1, lane: 1, alone: false });
  assert.deepEqual(plan.places.get("join"), { column: 2, lane: 0, alone: true });
});

test("a layer whose input is not shown follows the one before", () => {
  const plan = arrange([{ name: "input", inputs: [] }, { name: "f5", inputs: ["flatten"] }]);
  assert.deepEqual(plan.edges, [["input", "f5"]]);
});

test("maps go down, then right; a point finds its unit again", () => {
  const form = geometry([6, 28, 28], 6, 360);
  for (const map of [0, 1, 5]) {
    const [x, y] = origin(form, map);
    assert.deepEqual(unitAt(form, (x + 3.5) * form.size, (y + 2.5) * form.size), [map, 2, 3]);
  }
  assert.ok(form.canvasHeight * form.size <= 360);
  const [, below] = origin(form, 1);
  assert.equal(unitAt(form, 0, (below - 0.5) * form.size), null); // between two maps
  assert.equal(unitAt(form, -1, 0), null);
});

test("a vector stands in columns without gaps", () => {
  const form = geometry([120], 120, 360);
  assert.equal(form.gap, 0);
  assert.ok(form.rows * form.columns >= 120);
});

test("kernels: a column a map, a row a map before; of one map in rows of 16", () => {
  const grid = kernelGeometry([16, 6, 5, 5], [16, 6], 18);
  assert.deepEqual([grid.columns, grid.rows, grid.shown], [16, 6, 96]);
  const first = kernelGeometry([20, 1, 5, 5], [20, 1], 48);
  assert.deepEqual([first.columns, first.rows], [10, 2]);
});
