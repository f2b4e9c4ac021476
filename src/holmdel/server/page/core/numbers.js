/** Numbers as text. No DOM. */

const DASH = "\u2013";
const MINUS = "\u2212";

/**
 * @param {number} part 0..1.
 * @returns {string} as percent; less than all is never shown as all.
 */
export function percent(part) {
  const rounded = (100 * part).toFixed(1);
  return part < 1 && rounded === "100.0" ? ">99.9%" : `${rounded}%`;
}

/** @returns {string} a whole number in groups of three digits. */
export function grouped(value) {
  return value.toLocaleString("en");
}

/** @returns {string} a difference with its sign. */
export function signed(value) {
  return `${value < 0 ? MINUS : "+"}${grouped(Math.abs(value))}`;
}

/** @returns {string} a loss or an accuracy; a dash where there is none. */
export function figure(value) {
  return Number.isFinite(value) ? value.toFixed(3) : DASH;
}

/** @returns {string} a number in at most three digits that count; a dash where there is none. */
export function short(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : DASH;
}

/** @returns {string} a number in all its digits, with a real minus. */
export function digits(value) {
  return String(value).replaceAll("-", MINUS);
}

/** @returns {string} a number with so many digits behind the point, and a real minus. */
export function fixed(value, places) {
  const text = Math.abs(value).toFixed(places);
  return value < 0 && Number(text) ? MINUS + text : text;
}

/** @returns {string} a number in about three digits, for a small cell. */
export function brief(value) {
  const size = Math.abs(value);
  if (!size) return "0";
  if (size >= 9999.5) return value.toExponential(0).replace("+", "").replace("-", MINUS);
  const text = fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return text.replace(/^(\u2212?)0\./, "$1.");
}

/**
 * Tells whether an image is of no class that a model knows.
 * @param {number[]} probabilities @param {number | null} unknown what all but the best may add up to.
 */
export function isStrange(probabilities, unknown) {
  if (unknown === null) return false;
  const rest = [...probabilities].sort((a, b) => a - b).slice(0, -1);
  return rest.reduce((sum, one) => sum + one, 0) > unknown;
}
