/** The drawing as data: strokes on a sheet of SIZE x SIZE, with undo. No DOM. */

import { fromBase64Url, toBase64Url } from "../core/base64.js";

/** The sheet's side in the drawing's own whole units. */
export const SIZE = 1024;

const LEAST_STEP = 5; // units between two points of a stroke: finer is the hand's shaking
const MOST_POINTS = 4000; // in one drawing, so that its address stays an address

const clamp = (value) => Math.min(SIZE - 1, Math.max(0, Math.round(value)));

/** Strokes, each a list of points [x, y], that can be undone. */
export class Drawing {
  /** @type {number[][][]} */
  strokes = [];
  /** @type {number[][][][]} */
  #past = [];
  /** @type {number[][][][]} */
  #future = [];
  /** @type {number[][] | null} */
  #open = null; // the stroke under the pen

  /** @returns {boolean} whether nothing is drawn. */
  get empty() {
    return this.strokes.length === 0;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Begins a stroke at (x, y), in units. */
  begin(x, y) {
    this.#remember();
    this.#open = [[clamp(x), clamp(y)]];
    this.strokes = [...this.strokes, this.#open];
  }

  /**
   * Adds a point to the stroke that was begun.
   * @returns {boolean} false where it is too near to the one before, or the stroke was undone.
   */
  extend(x, y) {
    if (!this.#open) return false;
    const [lastX, lastY] = this.#open[this.#open.length - 1];
    const point = [clamp(x), clamp(y)];
    if (Math.hypot(point[0] - lastX, point[1] - lastY) < LEAST_STEP) return false;
    if (this.strokes.reduce((sum, one) => sum + one.length, 0) >= MOST_POINTS) return false;
    this.#open.push(point);
    return true;
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  /** Takes all strokes away, which can be undone. */
  clear() {
    if (this.empty) return;
    this.#remember();
    this.strokes = [];
    this.#open = null;
  }

  /** Takes over strokes from elsewhere, such as an address; nothing before can be undone. */
  load(strokes) {
    this.strokes = strokes;
    this.#past = [];
    this.#future = [];
    this.#open = null;
  }

  #remember() {
    this.#past.push(this.strokes);
    this.#future = [];
  }

  #step(from, to) {
    const strokes = from.pop();
    if (!strokes) return;
    to.push(this.strokes);
    this.strokes = strokes;
    this.#open = null;
  }
}

/**
 * Packs strokes into text for an address: counts and steps from point to point, a byte each where
 * small, as base64url.
 * @param {number[][][]} strokes
 * @returns {string}
 */
export function pack(strokes) {
  const bytes = [];
  const write = (value) => {
    for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
    bytes.push(value);
  };
  const signed = (value) => write(value < 0 ? -2 * value - 1 : 2 * value);
  for (const stroke of strokes) {
    write(stroke.length);
    let [x, y] = [0, 0];
    for (const [nextX, nextY] of stroke) {
      signed(nextX - x);
      signed(nextY - y);
      [x, y] = [nextX, nextY];
    }
  }
  return toBase64Url(bytes);
}

/**
 * Unpacks what `pack` gave.
 * @returns {number[][][]|null} null where it is no drawing
 */
export function unpack(text) {
  const bytes = fromBase64Url(text);
  if (!bytes) return null;
  let at = 0;
  const read = () => {
    let value = 0;
    for (let shift = 0; at < bytes.length && shift < 28; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    return 0;
  };
  const signed = () => {
    const value = read();
    return value & 1 ? -(value + 1) / 2 : value / 2;
  };
  const strokes = [];
  while (at < bytes.length) {
    const count = Math.min(read(), MOST_POINTS);
    const stroke = [];
    let [x, y] = [0, 0];
    for (let i = 0; i < count && at < bytes.length; i++) {
      x = clamp(x + signed());
      y = clamp(y + signed());
      stroke.push([x, y]);
    }
    if (stroke.length) strokes.push(stroke);
  }
  return strokes;
}
