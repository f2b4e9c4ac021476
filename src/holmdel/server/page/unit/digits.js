/** How many digits the numbers of a unit have: four places, or all. */

import { digits, fixed } from "../core/numbers.js";

const PLACES = 4;
let all = false;

/** @param {boolean} wanted whether all digits are shown. */
export function showAll(wanted) {
  all = wanted;
}

/** @returns {string} a number to four places, or in all its digits. */
export function told(value) {
  if (all || !Number.isFinite(value)) return digits(value);
  const text = fixed(value, PLACES);
  return value && Number(text.replace("\u2212", "-")) === 0 ? digits(Number(value.toPrecision(2))) : text;
}
