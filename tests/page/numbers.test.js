import assert from "node:assert/strict";
import { test } from "node:test";

import { brief, digits, figure, fixed, grouped, isStrange, percent, short, signed } from "../../src/holmdel/server/page/core/numbers.js";

test("a probability below 1 is never shown as certain", () => {
  assert.equal(percent(0.123), "12.3%");
  assert.equal(percent(0.9999), ">99.9%");
  assert.equal(percent(1), "100.0%");
});

test("whole numbers stand in groups of three, differences with their sign", () => {
  assert.equal(grouped(61706), "61,706");
  assert.equal(signed(-1200), "\u22121,200");
  assert.equal(signed(0), "+0");
});

test("what is no number is a dash", () => {
  assert.equal(figure(0.98765), "0.988");
  assert.equal(figure(undefined), "\u2013");
  assert.equal(short(0.0012345), "0.00123");
  assert.equal(short(NaN), "\u2013");
});

test("a number in a small cell loses its leading zero and takes a real minus", () => {
  assert.equal(brief(-0.25), "\u2212.25");
  assert.equal(brief(12.34), "12.3");
  assert.equal(brief(0), "0");
  assert.equal(digits(-1e-7), "\u22121e\u22127");
  assert.equal(fixed(-0.001, 2), "0.00"); // a zero has no sign
});

test("an image whose other classes add up to too much is of none", () => {
  assert.equal(isStrange([0.1, 0.7, 0.2], 0.25), true);
  assert.equal(isStrange([0.1, 0.7, 0.2], 0.35), false);
  assert.equal(isStrange([0.5, 0.5], null), false);
});

test("a number in a small cell has five signs at most", () => {
  assert.equal(brief(-1234), "\u22121234");
  assert.equal(brief(-123456), "\u22121e5");
  assert.equal(brief(9999.7), "1e4");
});
