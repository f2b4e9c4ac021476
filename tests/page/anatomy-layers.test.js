import assert from "node:assert/strict";
import { test } from "node:test";

import { LENET, codeOf, freshLayer, parseLayers, writeLayers } from "../../src/holmdel/server/page/anatomy/layers.js";

test("layers are written as they were read; what goes without saying is left out", () => {
  assert.equal(writeLayers(parseLayers(LENET)), LENET);
  const [pool] = parseLayers("maxpool 3 s2 p1");
  assert.deepEqual(pool.numbers, { kernel: 3, padding: 1, stride: 2 });
  assert.equal(writeLayers([pool]), "maxpool 3 p1 s2");
  assert.deepEqual(parseLayers("nonsense 3; relu"), [{ kind: "relu", numbers: {} }]);
  assert.equal(writeLayers([freshLayer("conv")]), "conv 16 3");
});

test("the code is PyTorch's, and the book's, whose layers find their inputs themselves", () => {
  const layers = parseLayers("conv 6 5 p2; relu; maxpool 2; flatten; linear 10");
  const rows = [[6, 28, 28], [6, 28, 28], [6, 14, 14], [1176], [10]].map((output) => ({ output }));
  const { torch, book } = codeOf(layers, [1, 28, 28], rows);
  assert.match(torch, /nn\.Conv2d\(1, 6, 5, padding=2\),\n {4}nn\.ReLU\(\),\n {4}nn\.MaxPool2d\(2\),/);
  assert.match(torch, /nn\.Linear\(1176, 10\)/);
  assert.match(book, /nn\.LazyConv2d\(6, kernel_size=5, padding=2\)/);
  assert.match(book, /nn\.LazyLinear\(10\)/);
});
