import assert from "node:assert/strict";
import { test } from "node:test";

import { Drawing, SIZE, pack, unpack } from "../../src/holmdel/server/page/draw/strokes.js";

test("a stroke grows by points that are far enough apart, on the sheet only", () => {
  const drawing = new Drawing();
  drawing.begin(10, 20);
  assert.equal(drawing.extend(12, 21), false); // nearer than a hand's shaking
  assert.equal(drawing.extend(40, 20), true);
  assert.equal(drawing.extend(5000, -3), true);
  assert.deepEqual(drawing.strokes, [[[10, 20], [40, 20], [SIZE - 1, 0]]]);
});

test("undo takes the last stroke away, redo brings it back, a new stroke ends redo", () => {
  const drawing = new Drawing();
  drawing.begin(0, 0);
  drawing.begin(100, 100);
  drawing.undo();
  assert.deepEqual(drawing.strokes, [[[0, 0]]]);
  assert.equal(drawing.extend(200, 200), false); // its stroke was undone
  drawing.redo();
  assert.equal(drawing.strokes.length, 2);
  drawing.undo();
  drawing.begin(7, 7);
  assert.equal(drawing.canRedo, false);
});

test("clearing can be undone, loading cannot", () => {
  const drawing = new Drawing();
  drawing.begin(1, 1);
  drawing.clear();
  assert.equal(drawing.empty, true);
  drawing.undo();
  assert.equal(drawing.empty, false);
  drawing.load([[[5, 5]]]);
  assert.equal(drawing.canUndo, false);
});

test("strokes survive the way through a URL", () => {
  const strokes = [[[0, 0], [1023, 1023], [512, 3]], [[100, 200]]];
  const text = pack(strokes);
  assert.match(text, /^[\w-]+$/);
  assert.deepEqual(unpack(text), strokes);
});

test("what is no drawing gives none, and never too many points", () => {
  assert.equal(unpack("%%%"), null);
  assert.deepEqual(unpack(""), []);
  assert.ok(unpack("_____w8").flat().length < 10);
});
