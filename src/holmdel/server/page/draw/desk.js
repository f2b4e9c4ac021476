/** What is on the sheet and how it gets there: drawn, a sample, the user's image, or the URL's. */

import { decode, pngOf } from "../core/base64.js";
import { download, element } from "../core/elements.js";
import { t } from "../core/texts.js";
import { imageInput } from "../core/upload.js";
import { Samples } from "./samples.js";
import { createSheet } from "./sheet.js";
import { KEYS, Source } from "./source.js";
import { Tools } from "./tools.js";

/** @import { DeskOptions, Upload } from "../types.d.ts" */

const source = new Source(); // a drawing outlives a visit of another tab
let fresh = true; // nothing was on the sheet yet: it begins with a sample

/** The left side of the tab. */
export class Desk {
  #app;
  #on;
  #off;
  #fetching = new AbortController(); // of a sample; what is drawn or chosen meanwhile goes first
  #note = element("p", { class: "muted small", id: "picture-note", hidden: true });

  /** @param {DeskOptions} options */
  constructor({ app, root, more, on }) {
    const { state } = app;
    [this.#app, this.#on] = [app, on];
    const address = () => state.set(source.address());
    this.sheet = createSheet({ source, onDraw: (stamp) => this.#drawn(stamp), onDone: address });
    const onChange = (event) => {
      this.sheet.paint();
      this.#drawn(event.timeStamp);
      address();
    };
    this.tools = new Tools({ source, onChange, save });
    this.samples = new Samples({
      app,
      onChoose: (sample) => this.#takeSample(sample, pngOf(sample.picture)),
      onMore: () => state.set({ samples: 1 + Number(state.get("samples") ?? 0) }),
    });
    const pictures = element("div", { class: "row open" });
    this.#off = imageInput(pictures, { area: root, onImage: (blob) => this.#takeImage(blob), onError: app.fail });
    this.node = element("section", { class: "desk", "aria-label": t("draw.desk") }, this.sheet.node,
      this.tools.node, element("div", { class: "seen-row" }, ...more),
      element("div", { class: "desk-more" }, pictures, this.#note, this.samples.node));
  }

  /** @returns {boolean} whether there is nothing on the sheet. */
  get empty() {
    return source.empty;
  }

  /** @returns {Upload} what is on the sheet, as it is sent. */
  picture = () => source.picture();

  /** @returns {string | null} the label of what is on the sheet, where it is a sample. */
  truth() {
    return this.samples.labelOf(source.sample);
  }

  /** Shows that another model is chosen: its samples, and what the URL says of the sheet. */
  onModel() {
    if (!this.#begins) this.read(true);
    this.load();
  }

  /** Takes note of what the network saw of an image, so that it has an address. */
  keepSeen(picture, { shape, data }) {
    if (picture !== source.blob) return;
    const small = source.keepSeen({ shape, bytes: decode(data) });
    this.#note.hidden = small;
    if (!small) this.#note.textContent = t("draw.too-large");
    this.#app.state.set(source.address());
  }

  /** Takes over what the URL says of the sheet. */
  async read(anyway = false) {
    this.#fetching.abort();
    const before = JSON.stringify(source.address());
    const sample = source.read((key) => this.#app.state.get(key), this.#on.model().stored);
    if (sample) return this.#fetchSample(sample);
    if (!anyway && JSON.stringify(source.address()) === before) return;
    await this.#showImage();
    this.#on.changed(null);
  }

  /** Shows the samples of the model's data set; the first time one of them is taken. */
  async load() {
    await this.samples.update(this.#on.model().name, this.#app.state.get("samples"));
    this.mark();
    const begins = this.#begins;
    fresh = false;
    if (begins && !this.samples.takeFirst()) this.#on.changed(null);
  }

  /** Marks the sample that is on the sheet. */
  mark() {
    this.samples.mark(source.sample);
    if (source.kind !== "picture") this.#note.hidden = true;
  }

  off() {
    this.#fetching.abort();
    this.tools.off();
    this.#off();
  }

  /** Whether a sample is to come, as there is nothing yet. */
  get #begins() {
    return fresh && source.empty && KEYS.every((key) => !this.#app.state.get(key));
  }

  #drawn(stamp) {
    this.#fetching.abort();
    this.#on.changed(stamp);
  }

  async #fetchSample({ data, index }) {
    const model = this.#on.model();
    const own = model.data === data ? { model: model.name } : { data };
    const { signal } = (this.#fetching = new AbortController());
    try {
      const blob = await this.#app.api.blob("/v1/sample", { ...own, index }, { signal });
      if (!signal.aborted) await this.#takeSample({ data, index }, blob);
    } catch (error) {
      if (signal.aborted) return;
      this.#app.fail(error);
      source.draw();
      this.#on.changed(null);
    }
  }

  async #takeSample({ data, index }, blob) {
    this.#fetching.abort();
    source.takeSample({ data, index }, blob);
    await this.#showImage();
    this.#app.state.set(source.address());
    this.#on.changed(performance.now());
  }

  async #takeImage(blob) {
    this.#fetching.abort();
    source.takeImage(blob);
    await this.#showImage();
    this.#on.changed(performance.now());
  }

  /** Puts the sample or the picture on the sheet. */
  async #showImage() {
    this.mark();
    const { blob, framed } = source;
    const bitmap = blob && (await createImageBitmap(blob).catch(() => null));
    if (blob !== source.blob) return; // another was taken meanwhile
    const inverted = framed && this.#on.model().framing === "digit";
    this.sheet.show(bitmap ? { bitmap, inverted } : null);
    this.tools.update();
  }
}

/** Gives what is on the sheet as a file. */
function save() {
  download(new Blob([/** @type {any} */ (source.picture())], { type: "image/png" }), "drawing.png");
}
