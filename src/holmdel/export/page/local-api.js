/** What the playground asks its server, answered here. */

import { Backward, saliencyOf } from "./backward.js";
import { explain } from "./explain.js";
import { frame } from "./framing.js";
import { constantsOf, run, valueOf } from "./network.js";

/** @import { Page, Value } from "./types.d.ts" */

const LARGEST = 256; // pixels of the longer side of a picture
const MOST_UNITS = 4096;
const [WINDOW, STRIDE, SIDE] = [5, 2, 28]; // of the occluding square

/** Answers requests of the Draw tab, by their paths. */
export class LocalApi {
  /** @param {Page} page @param {ArrayBuffer} weights */
  constructor(page, weights) {
    this.page = page;
    this.constants = constantsOf(page.graph, weights);
  }

  async get(path, params) {
    if (path === "/v1/kernels") return this.#kernels(params.layer, Number(params.maps));
    throw new Error(`this page has no ${path}`);
  }

  async blob(path) {
    throw new Error(`this page has no ${path}`);
  }

  /** @param {string} path @param {any} params @param {any} blob @param {{signal?: AbortSignal}} options */
  async image(path, params, blob, { signal } = {}) {
    const seen = await framedOf(blob, this.page.model);
    signal?.throwIfAborted();
    if (path === "/v1/activations") return this.#activations(seen, Number(params.maps));
    if (path === "/v1/unit") {
      const unit = params.unit.split(",").map(Number);
      return explain(this.page, this.run(seen.pixels), params.layer, unit);
    }
    if (path === "/v1/occlusion") return this.#occlusion(seen, params.class);
    if (path === "/v1/saliency") return this.#saliency(seen, params.class);
    if (path === "/v1/gradients") return this.#gradients(seen, Number(params.class), Number(params.maps));
    if (path === "/v1/backward" || path === "/v1/step") {
      const way = this.#wayBack(seen, Number(params.class));
      const unit = params.unit.split(",").map(Number);
      return path === "/v1/step" ? way.step(params.layer, unit, Number(params.rate)) : way.unit(params.layer, unit);
    }
    throw new Error("this is computed by the playground alone: holmdel serve");
  }

  #wayBack({ pixels }, target) {
    return new Backward(this.page, this.run(pixels), target);
  }

  #gradients(seen, target, maps) {
    const way = this.#wayBack(seen, target);
    const layers = ["input", ...this.page.rows.map((row) => row.name)].flatMap((name) => {
      const slope = way.of(name);
      if (!slope) return [];
      const { shape } = slope;
      return [{ name, shape, ...shownOf(slope, maps) }];
    });
    const { loss, probabilities } = way;
    return { class: target, label: this.page.model.classes[target], loss, probabilities, layers };
  }

  #saliency({ pixels }, wanted) {
    const { model, graph } = this.page;
    const values = this.run(pixels);
    const target = this.#targetOf(values, wanted);
    const shape = graph.shapes[graph.first].slice(1);
    return { class: target, label: model.classes[target], shape, ...scaled(saliencyOf(this.page, values, target)) };
  }

  /** The class that is asked about; the most probable one where none is. */
  #targetOf(values, wanted) {
    const { data } = valueOf(values, "probabilities");
    return wanted === null || wanted === undefined ? data.indexOf(Math.max(...data)) : Number(wanted);
  }

  /** @param {ArrayLike<number>} pixels as stored. @returns {Map<string, Value>} */
  run(pixels) {
    return run(this.page.graph, this.constants, pixels);
  }

  #activations({ pixels, found }, maps) {
    const { model, rows, graph } = this.page;
    const values = this.run(pixels);
    const input = valueOf(values, graph.first);
    const first = { name: "input", kind: "Input", detail: "", inputs: [], kernels: false, receptive_field: WHOLE };
    const layers = [layerOf(first, input, maps)];
    for (const row of rows) {
      const value = valueOf(values, graph.layers[row.name]);
      if (value) layers.push(layerOf({ ...row, kernels: Boolean(this.#kernelOf(row.name)) }, value, maps));
    }
    const probabilities = [...valueOf(values, "probabilities").data];
    const seen = { shape: model.stored, data: base64(pixels) };
    const logits = [...valueOf(values, "logits").data];
    const { classes, unknown = null } = model;
    return { classes, logits, probabilities, layers, seen, found, unknown };
  }

  #kernelOf(layer) {
    const step = this.page.graph.nodes.find((one) => one.layer === layer && one.op === "Conv");
    return step && this.constants[step.inputs[1]];
  }

  #kernels(layer, maps) {
    const { shape, data } = /** @type {Value} */ (this.#kernelOf(layer));
    const [outs, ins] = [Math.min(maps, shape[0]), Math.min(maps, shape[1])];
    const each = shape[2] * shape[3];
    const shown = [];
    for (let o = 0; o < outs; o++)
      shown.push(...data.subarray(o * shape[1] * each, (o * shape[1] + ins) * each));
    return { layer, shape, shown: [outs, ins], ...scaled(shown) };
  }

  /** The mean drop of a class's probability over all squares that cover a pixel. */
  #occlusion({ pixels }, wanted) {
    const { model, graph } = this.page;
    const [channels, height, width] = model.stored;
    const whole = this.run(pixels);
    const before = valueOf(whole, "probabilities").data;
    const target = this.#targetOf(whole, wanted);
    const side = Math.max(1, Math.round((Math.min(height, width) * WINDOW) / SIDE));
    const step = Math.max(1, Math.round((side * STRIDE) / WINDOW));
    const [drop, count] = [new Float64Array(height * width), new Float64Array(height * width)];
    for (const top of corners(height, side, step))
      for (const left of corners(width, side, step)) {
        const covered = pixels.slice();
        const inside = squareOf(top, left, side, width);
        for (let c = 0; c < channels; c++) for (const at of inside) covered[c * height * width + at] = 0;
        const fall = before[target] - valueOf(this.run(covered), "probabilities").data[target];
        for (const at of inside) {
          drop[at] += fall;
          count[at]++;
        }
      }
    const mean = drop.map((sum, i) => sum / count[i]);
    const shape = graph.shapes[graph.first].slice(1);
    const label = model.classes[target];
    return { class: target, label, shape, ...scaled(enlarged(mean, [height, width], shape)) };
  }
}

const WHOLE = { size: [1, 1], stride: [1, 1], offset: [0, 0] };

function layerOf({ name, kind, detail, inputs, kernels, receptive_field }, value, maps) {
  const { shape } = value;
  return { name, kind, detail, inputs, shape, kernels, receptive_field, ...shownOf(value, maps) };
}

/** The first maps of a layer, or all units of a vector, as bytes. */
function shownOf({ shape, data }, maps) {
  const shown = Math.min(shape[0], shape.length === 1 ? MOST_UNITS : maps);
  return { shown, ...scaled(data.subarray(0, (data.length / shape[0]) * shown)) };
}

/** Values as bytes between the least and the greatest, in base64. */
function scaled(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const factor = high > low ? 255 / (high - low) : 0;
  const bytes = Uint8Array.from(values, (value) => Math.round((value - low) * factor));
  return { low, high, data: base64(bytes) };
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function corners(length, side, step) {
  const found = [];
  for (let at = 0; at < length - side; at += step) found.push(at);
  return [...found, length - side];
}

function squareOf(top, left, side, width) {
  return Array.from({ length: side * side }, (_, i) => (top + Math.floor(i / side)) * width + left + (i % side));
}

/** Brings a map of the stored size to that of the input: padded where it is little larger. */
function enlarged(values, [height, width], /** @type {number[]} */ [rows, columns]) {
  const grown = rows - height > 8;
  const [top, left] = grown ? [0, 0] : [Math.floor((rows - height) / 2), Math.floor((columns - width) / 2)];
  return Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    const row = grown ? Math.floor((r * height) / rows) : r - top;
    const column = grown ? Math.floor((c * width) / columns) : c - left;
    const inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? values[row * width + column] : 0;
  });
}

/** Decodes a picture and brings it into the stored form. */
async function framedOf(blob, contract) {
  const bitmap = await createImageBitmap(new Blob([blob], { type: blob.type }));
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [height, width] = [bitmap.height, bitmap.width].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const plane = (channel) => Float64Array.from({ length: width * height }, (_, i) => data[4 * i + channel]);
  return frame([0, 1, 2].map(plane), height, width, contract);
}
