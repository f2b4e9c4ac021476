/** A field to try: a number out of handwritten digits of the data set that is always there. */

import { context2d, element } from "../core/elements.js";

/** @import { App } from "../types.d.ts" */

const [NUMBER, SEED] = ["60614", 5]; // the seed is that of the samples
const [SIDE, APART] = [96, 74]; // CSS pixels of a digit, and from one to the next

/**
 * Makes a picture of a written number on paper.
 * @param {App} app
 * @returns {Promise<{blob: Blob, name: string}>}
 */
export async function sampleField(app) {
  const { samples } = await app.api.get("/v1/samples", { data: "digits", count: 40, seed: SEED });
  const wanted = [...NUMBER].map((digit, i) => samples.filter((one) => one.label === digit)[i % 2]);
  const images = await Promise.all(wanted.map(({ picture }) => load(picture)));
  const canvas = element("canvas", { width: APART * NUMBER.length + 90, height: 170 });
  const context = context2d(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "darken";
  context.filter = "invert(1)";
  context.imageSmoothingQuality = "high";
  images.forEach((image, i) => context.drawImage(image, 34 + i * APART, 38 + 4 * (i % 2), SIDE, SIDE));
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return { blob: /** @type {Blob} */ (blob), name: "sample.png" };
}

function load(source) {
  const image = new Image();
  image.src = source;
  return image.decode().then(() => image);
}
