/** Strokes as pixels: on the sheet, and as the image that is sent. */

import { SIZE } from "./strokes.js";
import { png } from "../core/png.js";

/** @import { Png } from "../types.d.ts" */

export const PEN = { least: 6, usual: 20, most: 44, of: 280 }; // in parts of its side
export const INK = "#16181d";

// Pixels. The server frames 112 in half the time of 280; what it then sees differs by a fiftieth of
// the range a pixel, and the digits are the same.
const SENT = 112;

/**
 * Draws strokes into a context.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {number[][][]} strokes
 * @param {number} side of the canvas in pixels.
 * @param {number} thickness in 280ths of the side.
 */
export function drawStrokes(context, strokes, side, thickness) {
  const scale = side / SIZE;
  context.lineWidth = (thickness / PEN.of) * side;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = INK;
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [x * scale, y * scale]);
    context.beginPath();
    context.moveTo(points[0][0], points[0][1]);
    for (let i = 1; i < points.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    const [endX, endY] = points[points.length - 1];
    context.lineTo(endX, endY);
    context.stroke(); // a lone point too: a line of no length with round ends is a dot
  }
}

/** @type {OffscreenCanvasRenderingContext2D | null} */
let canvas = null;

/**
 * @param {number[][][]} strokes
 * @param {number} thickness in 280ths of the sheet's side.
 * @returns {Png} the drawing as it is sent: a grey PNG, dark ink on white paper.
 */
export function picture(strokes, thickness) {
  canvas ??= /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(SENT, SENT).getContext("2d", { willReadFrequently: true })
  );
  canvas.fillStyle = "#fff";
  canvas.fillRect(0, 0, SENT, SENT);
  drawStrokes(canvas, strokes, SENT, thickness);
  const { data } = canvas.getImageData(0, 0, SENT, SENT);
  const grey = new Uint8Array(SENT * SENT);
  for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i];
  return png(grey, [1, SENT, SENT]);
}
