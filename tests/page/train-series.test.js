import assert from "node:assert/strict";
import { test } from "node:test";

import { epochsOf, figures, series, share } from "../../src/holmdel/server/page/train/series.js";

const training = {
  status: "running",
  progress: { epoch: 2, epochs: 4, batch: 50, batches: 100 },
  history: [{ epoch: 1, loss: 0.9, train_acc: 0.7, test_acc: null }],
  points: [{ step: 0.5, loss: 1.8, accuracy: 0.4 }, { step: 1.5, loss: NaN, accuracy: 0.75 }],
};

test("a curve has a point an epoch, a thin one those within; what is no number is left out", () => {
  assert.deepEqual(series(training, "loss"), { points: [[1, 0.9]], faint: [[0.5, 1.8]] });
  assert.deepEqual(series(training, "train_acc").faint, [[0.5, 0.4], [1.5, 0.75]]);
  assert.deepEqual(series(training, "test_acc"), { points: [], faint: [] });
});

test("the axis spans what a running training is to have, and what an ended one had", () => {
  assert.equal(epochsOf([training]), 4);
  assert.equal(epochsOf([{ ...training, status: "stopped" }]), 2);
  assert.equal(epochsOf([]), 1);
});

test("figures are those of an epoch, or the last", () => {
  assert.equal(figures(training, null).loss, 0.9);
  assert.equal(figures(training, 3), null);
});

test("progress counts epochs and batches", () => {
  assert.equal(share(training), 0.375); // 1.5 of 4 epochs
  assert.equal(share({ status: "finished", progress: null }), 1);
  assert.equal(share({ status: "preparing", progress: null }), 0);
});
