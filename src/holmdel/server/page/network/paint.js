/** A layer's values into its canvas: a pixel a unit, the maps side by side. CSS makes it large. */

import { context2d } from "../core/elements.js";
import { scaleFor } from "../core/maps.js";
import { origin } from "./layout.js";

/** @import { Geometry } from "./layout.js" */
/** @import { Values } from "../types.d.ts" */

/**
 * Makes a canvas that shows a layer again and again.
 * @param {HTMLCanvasElement} canvas gets the geometry's size.
 * @param {Geometry} geometry
 * @returns {(values: Values, dark: boolean) => void}
 */
export function createPainter(canvas, geometry) {
  const { canvasWidth, canvasHeight, size, width, height, shown } = geometry;
  canvas.width = canvasWidth;
  canvas.height = canvasHeight;
  canvas.style.width = `${canvasWidth * size}px`;
  canvas.style.height = `${canvasHeight * size}px`;
  canvas.classList.toggle("fine", size < 1);
  const context = context2d(canvas, { willReadFrequently: true }); // in memory
  const image = new ImageData(canvasWidth, canvasHeight);
  const pixels = new Uint32Array(image.data.buffer);
  const origins = Array.from({ length: shown }, (_, map) => origin(geometry, map));
  return ({ bytes, low, high }, dark) => {
    const colours = scaleFor(low, high, dark);
    let from = 0;
    for (const [left, top] of origins) {
      for (let row = 0; row < height; row++) {
        const to = (top + row) * canvasWidth + left;
        for (let column = 0; column < width; column++) {
          pixels[to + column] = colours[bytes[from++]];
        }
      }
    }
    context.putImageData(image, 0, 0);
  };
}
