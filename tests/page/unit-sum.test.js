import assert from "node:assert/strict";
import { test } from "node:test";

import { FUNCTIONS, addUp, placesOf, strongest, termsOf } from "../../src/holmdel/server/page/unit/sum.js";

// A 2 x 2 window of two maps: the first gives 1 - 4 = -3, the second 10.
const unit = {
  before: { channels: [0, 3], shape: [6, 14, 14], window: { top: 5, left: 7, height: 2, width: 2 } },
  patch: [[[1, 2], [0, 0]], [[5, 0], [0, 0]]],
  kernel: [[[1, -2], [9, 9]], [[2, 7], [7, 7]]],
  bias: 0.5,
  sum: 7.5,
};

test("the terms of a convolution say where each value was", () => {
  const terms = termsOf(unit);
  assert.equal(terms.length, 8);
  assert.deepEqual(terms[1], { at: [0, 5, 8], seen: 2, weight: -2, product: -4 });
  assert.deepEqual(terms[4].at, [3, 5, 7]); // of the fourth map
});

test("a dense layer's terms are traced back to the maps that were flattened", () => {
  const [, second] = termsOf({
    before: { channels: [0, 30], shape: [2, 5, 5] },
    patch: [0.25, 4],
    kernel: [1, 2],
  });
  assert.deepEqual(second, { at: [1, 1, 0], seen: 4, weight: 2, product: 8 });
});

test("products and bias make the sum that the server says", () => {
  assert.deepEqual(addUp(unit, termsOf(unit)), { products: 7, total: 7.5, same: true });
  assert.equal(addUp({ ...unit, sum: 7.500001 }, termsOf(unit)).same, false);
});

test("a sum is rounded once, as by math.fsum", () => {
  const sum = (...products) => addUp({ bias: null, sum: 0 }, products.map((product) => ({ product }))).total;
  assert.equal(sum(0.1, 0.2, 0.3), 0.6); // one after the other it is 0.6000000000000001
  assert.equal(sum(1e100, 1, -1e100), 1);
  assert.equal(sum(...Array(10).fill(0.1)), 1);
});

test("the map with the largest sum comes first", () => {
  assert.deepEqual(strongest(unit), [
    { plane: 1, channel: 3, sum: 10 },
    { plane: 0, channel: 0, sum: -3 },
  ]);
});

test("what adds nothing up has no terms", () => {
  assert.deepEqual(termsOf({ ...unit, kernel: null }), []);
});

test("activations are those of the networks", () => {
  assert.equal(FUNCTIONS.relu(-2), 0);
  assert.equal(FUNCTIONS.sigmoid(0), 0.5);
  assert.ok(Math.abs(FUNCTIONS.scaled_tanh(1) - 1) < 1e-4); // LeCun's: f(1) = 1
});

test("larger terms leave fewer places behind the point", () => {
  assert.equal(placesOf([{ product: 0.5 }]), 12);
  assert.equal(placesOf([{ product: -5000 }]), 8);
});
