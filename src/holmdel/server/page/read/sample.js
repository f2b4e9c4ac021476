/** A field to try: a number out of handwritten digits of the data set that is always there. */

import { context2d, element } from "../core/elements.js";

/** @import { App } from "../types.d.ts" */

const [NUMBER, SEED] = ["60614", 5]; // of the first; the seed is that of the samples
const [SIDE, APART] = [96, 74]; // CSS pixels of a digit, and from one to the next

/**
 * Makes a picture of a written number on paper.
 * @param {App} app
 * @param {number} turn from 0; each is another number, of four to eight digits.
 * @returns {Promise<{blob: Blob, name: string}>}
 */
export async function sampleField(app, turn) {
  const { samples } = await app.api.get("/v1/samples", { data: "digits", count: 40, seed: SEED + turn });
  const first = () => [...NUMBER].map((digit, i) => samples.filter((one) => one.label === digit)[i % 2]);
  const mixed = () => Array.from({ length: 4 + ((3 * turn) % 5) }, (_, i) => samples[(3 * i * i + turn * (i + 1)) % samples.length]);
  const wanted = turn ? mixed() : first();
  const images = await Promise.all(wanted.map(({ picture }) => load(picture)));
  const canvas = element("canvas", { width: APART * wanted.length + 90, height: 170 });
  const context = context2d(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "darken";
  context.filter = "invert(1)";
  context.imageSmoothingQuality = "high";
  images.forEach((image, i) => context.drawImage(image, 34 + i * APART, 38 + 4 * (i % 2), SIDE, SIDE));
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return { blob: /** @type {Blob} */ (blob), name: `sample${turn || ""}.png` };
}

function load(source) {
  const image = new Image();
  image.src = source;
  return image.decode().then(() => image);
}
