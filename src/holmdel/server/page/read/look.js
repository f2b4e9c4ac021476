/** How a line was read, in numbers: what the network said at each step. No DOM. */

/** @import { InsideLine } from "../types.d.ts" */

const COLUMNS = 2; // of the picture, a step
const FAINT = 0.001; // less probable than this is not named

/**
 * @param {InsideLine} line
 * @returns {Uint8Array<ArrayBuffer>} (characters, steps): how dark each is drawn, 0 to 255; the square root of the
 *   probability, so that what is in doubt is seen.
 */
export function shades({ characters, steps }) {
  const bytes = new Uint8Array(characters.length * steps.length);
  steps.forEach((said, step) => {
    said.forEach((part, row) => (bytes[row * steps.length + step] = Math.round(255 * Math.sqrt(part))));
  });
  return bytes;
}

/**
 * @param {InsideLine} line
 * @returns {{label: string, probability: number}[]} what was said at a step, the likeliest first; "" for nothing.
 */
export function saidAt({ characters, steps }, step, most = 3) {
  return steps[step]
    .map((probability, row) => ({ label: characters[row], probability }))
    .filter(({ probability }) => probability >= FAINT)
    .sort((a, b) => b.probability - a.probability)
    .slice(0, most);
}

/** @returns {number} the step at a place, 0 at the left of the picture and 1 at its right. */
export function stepAt({ width, steps }, part) {
  return Math.min(Math.max(Math.floor((part * width) / COLUMNS), 0), steps.length - 1);
}

/** @returns {{left: number, wide: number}} where steps stand, as parts of the picture's width. */
export function spanOf({ width }, first, last) {
  return { left: (first * COLUMNS) / width, wide: ((last + 1 - first) * COLUMNS) / width };
}

/** @returns {number} the step at which a digit is said loudest. */
export function loudest({ characters, steps }, { char, first, last }) {
  const row = characters.indexOf(char);
  let best = first;
  for (let step = first; step <= last; step++) if (steps[step][row] > steps[best][row]) best = step;
  return best;
}
