/** Fetches the activations and kernels of a network while it trains. No DOM. */

import { pngOf } from "../core/base64.js";
import { KEYS, Source } from "../draw/source.js";
import { createLatestOnly } from "../core/latest-only.js";

/** @import { LiveView, Training } from "../types.d.ts" */

const MAPS = 16; // of a layer, at most
const KERNELS = 2; // layers, from the first on
const GONE = 404; // the training was forgotten meanwhile

/** Fetches anew when the weights or the picture have changed; one request at a time. */
export class TrainingActivations {
  #api;
  #get;
  #on;
  #pump = createLatestOnly((job) => this.#fetch(job));
  #asked = "";
  #samples = new Map();
  #control = new AbortController();

  /**
   * @param {import("../core/api.js").Api} api
   * @param {(key: string) => string | null} get gives the URL's values
   * @param {{seen: (view: LiveView) => void, failed: (error: Error) => void}} on
   */
  constructor(api, get, on) {
    [this.#api, this.#get, this.#on] = [api, get, on];
  }

  /**
   * Looks at a training, unless that was done for these weights and this picture.
   * @param {Training} training
   * @param {number[]} stored [C, H, W] of its pictures
   */
  want(training, stored) {
    if (!training.weights) return;
    const picture = ["train.sample", ...KEYS].map(this.#get).join();
    const key = [training.model, training.weights, picture].join();
    if (key === this.#asked) return;
    this.#asked = key;
    this.#pump.ask({ training, stored, signal: this.#control.signal });
  }

  /** Ends what is under way. */
  stop() {
    this.#control.abort();
    this.#control = new AbortController();
  }

  async #fetch({ training, stored, signal }) {
    if (signal.aborted) return;
    const model = training.kept ?? training.model;
    try {
      const { blob, label } = await this.#picture(training.data, stored, signal);
      const seen = await this.#api.image("/v1/activations", { model, maps: MAPS }, blob, { signal });
      const kernels = [];
      for (const layer of seen.layers.filter((one) => one.kernels).slice(0, KERNELS)) {
        kernels.push(await this.#api.get("/v1/kernels", { model, layer: layer.name, maps: MAPS }, { signal }));
      }
      this.#on.seen({ training, label, seen, kernels });
    } catch (error) {
      if (signal.aborted) return;
      this.#asked = "";
      if (error.status !== GONE) this.#on.failed(error);
    }
  }

  /** Returns what is on the Draw tab's sheet, or a sample of the data set where that is empty. */
  async #picture(data, stored, signal) {
    const chosen = this.#get("train.sample");
    if (chosen !== null) return this.#sample(data, Number.parseInt(chosen, 10) || 0);
    const sheet = new Source();
    const sample = sheet.read(this.#get, stored);
    if (sample) return { blob: await this.#api.blob("/v1/sample", sample, { signal }), label: null };
    return sheet.empty ? this.#sample(data, 0) : { blob: sheet.picture(), label: null };
  }

  async #sample(data, seed) {
    const key = `${data} ${seed}`;
    if (!this.#samples.has(key)) {
      const { samples } = await this.#api.get("/v1/samples", { data, count: 1, seed });
      this.#samples.set(key, { blob: pngOf(samples[0].picture), label: samples[0].label });
    }
    return this.#samples.get(key);
  }
}
