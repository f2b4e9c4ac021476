/** Maps of bytes on canvases, a pixel a value; CSS makes them large. */

import { context2d } from "./elements.js";

/** @import { Picture } from "../types.d.ts" */

const NEGATIVE = [33, 102, 190]; // blue
const POSITIVE = [200, 45, 40]; // red
const NEGATIVE_DARK = [116, 180, 255];
const POSITIVE_DARK = [255, 138, 125];
const PAPER = [255, 255, 255];
const PAPER_DARK = [16, 18, 21];
const OPAQUE = 0xff000000;

const scales = new Map();
const images = new WeakMap();

/**
 * @param {number} low the value of byte 0.
 * @param {number} high the value of byte 255.
 * @param {boolean} dark whether the page is dark.
 * @returns {Uint32Array} (256,) the colour of each byte, as a pixel of ImageData: grey from black
 *   to white, or around 0 from blue to red where there are negative values.
 */
export function scaleFor(low, high, dark = false) {
  const bound = Math.max(-low, high);
  const key = low < 0 ? `${low / bound} ${high / bound} ${dark}` : "grey";
  let scale = scales.get(key);
  if (!scale) {
    scale = low < 0 ? diverging(low / bound, high / bound, dark) : grey();
    if (scales.size > 256) scales.clear(); // every picture brings ranges of its own
    scales.set(key, scale);
  }
  return scale;
}

/**
 * Draws one map.
 * @param {HTMLCanvasElement} canvas gets the map's size in pixels.
 * @param {Uint8Array} bytes row by row.
 * @param {{low?: number, high?: number, dark?: boolean, offset?: number}} options the values of
 *   bytes 0 and 255, whether the page is dark, where in `bytes` the map begins.
 */
export function drawMap(canvas, bytes, width, height, options = {}) {
  const { low = 0, high = 255, dark = false, offset = 0 } = options;
  const scale = scaleFor(low, high, dark);
  paint(canvas, width, height, (pixels) => {
    for (let i = 0; i < pixels.length; i++) pixels[i] = scale[bytes[offset + i]];
  });
}

/**
 * Draws one map of a layer; an image is grey.
 * @param {HTMLCanvasElement} canvas gets the map's size in pixels.
 * @param {Picture} picture
 * @param {number} map
 * @param {boolean} dark whether the page is dark.
 * @returns {number[]} the map's height and width.
 */
export function drawMapOf(canvas, { layer, bytes, low, high }, map, dark) {
  const [, height, width] = layer.shape;
  const range = layer.name === "input" ? { low: 0, high: 255 } : { low, high };
  drawMap(canvas, bytes, width, height, { ...range, dark, offset: map * height * width });
  return [height, width];
}

/**
 * Draws a picture, grey or in colours.
 * @param {HTMLCanvasElement} canvas gets the picture's size in pixels.
 * @param {Uint8Array} bytes plane by plane.
 * @param {number[]} shape (1 or 3, height, width).
 */
export function drawImage(canvas, bytes, [channels, height, width]) {
  if (channels !== 3) {
    drawMap(canvas, bytes, width, height);
    return;
  }
  const plane = width * height;
  paint(canvas, width, height, (pixels) => {
    for (let i = 0; i < plane; i++) {
      pixels[i] = pixel(bytes[i], bytes[i + plane], bytes[i + 2 * plane]);
    }
  });
}

/** Fills a canvas; its image is kept, for the next map of the same size. */
function paint(canvas, width, height, fill) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  let image = images.get(canvas);
  if (!image || image.width !== width || image.height !== height) {
    image = new ImageData(width, height);
    images.set(canvas, image);
  }
  fill(new Uint32Array(image.data.buffer));
  context2d(canvas).putImageData(image, 0, 0);
}

function grey() {
  return Uint32Array.from({ length: 256 }, (_, byte) => pixel(byte, byte, byte));
}

function diverging(low, high, dark) {
  const paper = dark ? PAPER_DARK : PAPER;
  const negative = dark ? NEGATIVE_DARK : NEGATIVE;
  const positive = dark ? POSITIVE_DARK : POSITIVE;
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const value = low + (byte / 255) * (high - low);
    const far = value < 0 ? negative : positive;
    const [red, green, blue] = paper.map((near, i) => near + Math.abs(value) * (far[i] - near));
    return pixel(Math.round(red), Math.round(green), Math.round(blue));
  });
}

function pixel(red, green, blue) {
  return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
}
