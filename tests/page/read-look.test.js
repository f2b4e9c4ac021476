import assert from "node:assert/strict";
import { test } from "node:test";

import { loudest, saidAt, shades, spanOf, stepAt } from "../../src/holmdel/server/page/read/look.js";

const line = {
  width: 9,
  characters: ["1", "7", ""],
  steps: [
    [0.0004, 0, 0.9996],
    [0.81, 0.16, 0.03],
    [0.25, 0, 0.75],
    [0, 0, 1],
  ],
  digits: [{ char: "1", first: 0, last: 2 }],
};

test("a step says what is likely there, the likeliest first, and not what is next to impossible", () => {
  assert.deepEqual(saidAt(line, 1, 2), [{ label: "1", probability: 0.81 }, { label: "7", probability: 0.16 }]);
  assert.deepEqual(saidAt(line, 0), [{ label: "", probability: 0.9996 }]);
});

test("a row a character and a column a step, darker than the probability where there is doubt", () => {
  const bytes = shades(line);
  assert.deepEqual([...bytes.slice(0, 4)], [5, 230, 128, 0]);
  assert.equal(bytes[3 * 4 - 1], 255);
});

test("a step is two columns of the picture, and the last column has none of its own", () => {
  assert.equal(stepAt(line, 0), 0);
  assert.equal(stepAt(line, 5.5 / 9), 2);
  assert.equal(stepAt(line, 1), 3);
  assert.deepEqual(spanOf(line, 1, 2), { left: 2 / 9, wide: 4 / 9 });
});

test("a digit is said loudest at one step of its span", () => {
  assert.equal(loudest(line, line.digits[0]), 1);
});
