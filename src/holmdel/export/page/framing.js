/** From the pixels of a drawing or a picture to the stored form of a data set. No DOM.
 *
 * A plain form of holmdel.images.framing: for drawings and for pictures with one thing on plain
 * paper. Rules, frames, uneven light and several digits are Python's.
 */

/** @import { Contract, Framed } from "./types.d.ts" */

const LEAST_INK = 20; // of 255
const EDGE = 0.25; // of the border's pixels, black or white: the form of a data set
const PEN = 2; // the least width of a stroke in a box of 20
const BOX = 20 / 28;

/**
 * @param {Float64Array[]} planes each (height x width), 0..255.
 * @param {number} height @param {number} width
 * @param {Contract} contract
 * @returns {Framed}
 */
export function frame(planes, height, width, { stored, framing }) {
  const given = stored[0] === planes.length ? planes : Array(stored[0]).fill(mean(planes));
  const ground = given.map((plane) => median(border(plane, height, width)));
  const edge = border(mean(given), height, width);
  const share = (test) => edge.filter(test).length / edge.length;
  const [black, white] = [share((v) => v <= 16), share((v) => v >= 239)];
  const flat = mean(given).every((v, _, all) => Math.abs(v - all[0]) < 1);
  if (flat) return { pixels: new Uint8Array(stored[0] * stored[1] * stored[2]), found: "nothing" };
  const same = height === stored[1] && width === stored[2];
  if (same && (framing === "fit" || Math.max(black, white) >= EDGE)) {
    const inverted = framing !== "fit" && white > black;
    return joined(given.map((plane) => (inverted ? plane.map((v) => 255 - v) : plane)));
  }
  if (framing === "fit") return joined(given.map((p, c) => placed(p, height, width, stored, 1, ground[c])));
  const light = mean([Float64Array.from(ground)]).reduce((a, b) => a + b) / ground.length >= 128;
  const ink = given.map((plane, c) => plane.map((v) => Math.max(0, light ? ground[c] - v : v - ground[c])));
  return framing === "digit" ? digit(ink, height, width, stored) : object(ink, height, width, stored);
}

function mean(planes) {
  return planes[0].map((_, i) => planes.reduce((sum, plane) => sum + plane[i], 0) / planes.length);
}

function border(plane, height, width) {
  const found = [];
  for (let c = 0; c < width; c++) found.push(plane[c], plane[(height - 1) * width + c]);
  for (let r = 1; r < height - 1; r++) found.push(plane[r * width], plane[(r + 1) * width - 1]);
  return found;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function joined(planes) {
  const bytes = planes.flatMap((plane) => [...plane].map((v) => Math.round(Math.min(255, Math.max(0, v)))));
  return { pixels: Uint8Array.from(bytes), found: "one" };
}

/** The box around what is above a level; null where nothing is. */
function boxOf(plane, height, width, level) {
  let [top, left, bottom, right] = [height, width, -1, -1];
  plane.forEach((v, i) => {
    if (v <= level) return;
    const [r, c] = [Math.floor(i / width), i % width];
    [top, bottom] = [Math.min(top, r), Math.max(bottom, r)];
    [left, right] = [Math.min(left, c), Math.max(right, c)];
  });
  return bottom < 0 ? null : { top, left, height: bottom - top + 1, width: right - left + 1 };
}

function cropped(plane, width, box) {
  const out = new Float64Array(box.height * box.width);
  for (let r = 0; r < box.height; r++) {
    const from = (box.top + r) * width + box.left;
    out.set(plane.subarray(from, from + box.width), r * box.width);
  }
  return out;
}

function digit(ink, height, width, stored) {
  const whole = mean(ink);
  const peak = whole.reduce((most, v) => Math.max(most, v), 0);
  const nothing = { pixels: new Uint8Array(stored[0] * stored[1] * stored[2]), found: "nothing" };
  const box = peak < LEAST_INK ? null : boxOf(whole, height, width, 0.25 * peak);
  if (!box || Math.max(box.height, box.width) < 4) return nothing;
  const glyph = cropped(whole, width, box).map((v) => Math.min(1, v / (0.9 * peak)));
  const thick = withPen(glyph, box.height, box.width);
  const [rows, columns] = within(thick, stored, BOX);
  const small = resized(thick.plane, thick.height, thick.width, rows, columns);
  const [top, left] = centred(small, rows, columns, stored);
  const plane = new Float64Array(stored[1] * stored[2]);
  for (let r = 0; r < rows; r++)
    plane.set(small.subarray(r * columns, (r + 1) * columns).map((v) => 255 * v), (top + r) * stored[2] + left);
  return joined(Array(stored[0]).fill(plane));
}

function object(ink, height, width, stored) {
  const box = boxOf(mean(ink), height, width, 0.05 * 255);
  if (!box) return { pixels: new Uint8Array(stored[0] * stored[1] * stored[2]), found: "nothing" };
  const most = ink.reduce((all, plane) => Math.max(all, plane.reduce((a, b) => Math.max(a, b))), 1);
  return joined(
    ink.map((plane) => {
      const cut = cropped(plane, width, box).map((v) => (v * 255) / most);
      return placed(cut, box.height, box.width, stored, 1, 0);
    }),
  );
}

/** Scales a plane to fit a share of the stored size and puts it in the middle of a colour. */
function placed(plane, height, width, stored, share, colour) {
  const [rows, columns] = within({ height, width }, stored, share);
  const small = resized(plane, height, width, rows, columns);
  const out = new Float64Array(stored[1] * stored[2]).fill(colour);
  const [top, left] = [Math.floor((stored[1] - rows) / 2), Math.floor((stored[2] - columns) / 2)];
  for (let r = 0; r < rows; r++) out.set(small.subarray(r * columns, (r + 1) * columns), (top + r) * stored[2] + left);
  return out;
}

function within({ height, width }, stored, share) {
  const scale = Math.min(Math.round(stored[1] * share) / height, Math.round(stored[2] * share) / width);
  return [height, width].map((side) => Math.max(1, Math.round(side * scale)));
}

/** Where the centre of mass comes to lie at the centre, as in MNIST. */
function centred(plane, rows, columns, stored) {
  let [mass, down, across] = [0, 0, 0];
  plane.forEach((v, i) => {
    mass += v;
    down += v * Math.floor(i / columns);
    across += v * (i % columns);
  });
  const place = (sum, side, own) => Math.min(Math.max(Math.round(side / 2 - sum / mass), 0), side - own);
  return [place(down, stored[1], rows), place(across, stored[2], columns)];
}

/** Makes strokes so wide that they do not fade when they shrink. */
function withPen(plane, height, width) {
  const area = plane.filter((v) => v >= 0.5).length;
  let edges = 0;
  const at = (r, c) => (r < 0 || c < 0 || r >= height || c >= width ? 0 : plane[r * width + c] >= 0.5 ? 1 : 0);
  for (let r = 0; r <= height; r++)
    for (let c = 0; c <= width; c++)
      edges += Math.abs(at(r, c) - at(r - 1, c)) + Math.abs(at(r, c) - at(r, c - 1));
  const stroke = edges ? (2 * area) / (0.8 * edges) : 0;
  const radius = Math.round(((PEN * Math.max(height, width)) / 20 - stroke) / 2);
  if (radius < 1) return { plane, height, width };
  const [rows, columns] = [height + 2 * radius, width + 2 * radius];
  const out = new Float64Array(rows * columns);
  for (let y = -radius; y <= radius; y++)
    for (let x = -radius; x <= radius; x++) {
      if (y * y + x * x > radius * radius + 1) continue;
      plane.forEach((v, i) => {
        const to = (Math.floor(i / width) + radius + y) * columns + (i % width) + radius + x;
        if (v > out[to]) out[to] = v;
      });
    }
  return { plane: out, height: rows, width: columns };
}

/** Resizes as Pillow's HAMMING does, rows after columns. */
function resized(plane, height, width, rows, columns) {
  const across = taps(width, columns);
  const middle = new Float64Array(height * columns);
  for (let r = 0; r < height; r++)
    across.forEach(({ first, weights }, c) => {
      middle[r * columns + c] = weights.reduce((sum, w, i) => sum + w * plane[r * width + first + i], 0);
    });
  const out = new Float64Array(rows * columns);
  taps(height, rows).forEach(({ first, weights }, r) => {
    for (let c = 0; c < columns; c++)
      out[r * columns + c] = weights.reduce((sum, w, i) => sum + w * middle[(first + i) * columns + c], 0);
  });
  return out;
}

function taps(from, to) {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(from, Math.floor(centre + reach + 0.5));
    const raw = Array.from({ length: last - first }, (_, k) => hamming((first + k - centre + 0.5) / reach));
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((w) => w / sum) };
  });
}

function hamming(x) {
  if (x === 0) return 1;
  if (Math.abs(x) >= 1) return 0;
  const angle = x * Math.PI;
  return (Math.sin(angle) / angle) * (0.54 + 0.46 * Math.cos(angle));
}
