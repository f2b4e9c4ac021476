import assert from "node:assert/strict";
import { test } from "node:test";

import { addGradient, addStep } from "../../src/holmdel/server/page/unit/backward.js";
import { nextUnit } from "../../src/holmdel/server/page/unit/slide.js";
import { softmax } from "../../src/holmdel/server/page/unit/softmax.js";

test("a gradient is the sum of its terms, or it is told that it is not", () => {
  const terms = [{ gradient: 0.5, weight: 2 }, { gradient: -1, weight: 0.25 }];
  assert.deepEqual(addGradient({ terms, gradient: 0.75 }), { total: 0.75, same: true });
  assert.equal(addGradient({ terms, gradient: 0.7500001 }).same, false);
});

test("a step takes the rate times the gradient off each weight", () => {
  const step = {
    rate: 0.5, before: [[[1, 2]]], gradient: [[[0.5, -4]]], after: [[[0.75, 4]]],
    weight: { plane: 0, at: [0, 1], gradient: -4, seen: [2, 1], slopes: [-1, -2] },
  };
  assert.deepEqual(addStep(step), { same: true, total: -4, equal: true });
  assert.equal(addStep({ ...step, after: [[[0.75, 3.9]]] }).same, false);
});

test("the window goes on in reading order, and from the last place to the first", () => {
  assert.deepEqual(nextUnit([2, 0, 9], [16, 10, 10], 1), [2, 1, 0]);
  assert.deepEqual(nextUnit([2, 0, 0], [16, 10, 10], -1), [2, 9, 9]);
  assert.deepEqual(nextUnit([9], [10], 1), [0]);
});

test("probabilities add up to 1, however large the logits are", () => {
  const { shares } = softmax([1000, 1001, 900]);
  assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-15);
  assert.ok(Math.abs(shares[1] / shares[0] - Math.E) < 1e-12);
});
