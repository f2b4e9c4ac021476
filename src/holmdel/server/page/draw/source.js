/** What is on the sheet: a drawing, a sample, or the user's image; and its values in the URL. */

import { fromBase64Url, toBase64Url } from "../core/base64.js";
import { PEN, picture } from "./raster.js";
import { png } from "../core/png.js";
import { Drawing, pack, unpack } from "./strokes.js";

/** @import { Planes, Sample, Upload } from "../types.d.ts" */

const MOST_SEEN = 4096; // bytes of a picture in an address

export const KEYS = ["strokes", "thickness", "sample", "seen"];

/** What is on the sheet. It changes by its methods; `address()` tells it as the URL's values. */
export class Source {
  /** @type {"drawing" | "sample" | "picture"} */
  kind = "drawing";
  drawing = new Drawing();
  thickness = PEN.usual;
  /** @type {Sample | null} */
  sample = null;
  /** @type {Blob | null} */
  blob = null; // of a sample or a picture
  framed = false; // whether the blob is in a data set's form, light on black
  /** @type {Planes | null} */
  seen = null; // of a picture: what the network saw

  /** @returns {boolean} whether there is nothing on the sheet. */
  get empty() {
    return this.kind === "drawing" && this.drawing.empty;
  }

  /** @returns {Upload} the picture that is sent. */
  picture() {
    return this.blob ?? picture(this.drawing.strokes, this.thickness);
  }

  /** Goes back to the drawing. */
  draw() {
    if (this.kind !== "drawing") this.drawing.clear();
    Object.assign(this, { kind: "drawing", sample: null, blob: null, framed: false, seen: null });
  }

  /** @param {Sample} sample @param {Blob} blob its picture. */
  takeSample(sample, blob) {
    Object.assign(this, { kind: "sample", sample, blob, framed: true, seen: null });
  }

  /** @param {Blob} blob a picture from elsewhere. */
  takeImage(blob) {
    Object.assign(this, { kind: "picture", sample: null, blob, framed: false, seen: null });
  }

  /**
   * Takes note of what the network saw of a picture, so that it has an address.
   * @param {Planes} seen
   * @returns {boolean} whether it is small enough for one.
   */
  keepSeen(seen) {
    if (this.kind !== "picture") return true;
    this.seen = seen;
    return seen.bytes.length <= MOST_SEEN;
  }

  /** @returns {Object<string, string|null>} the URL's values. */
  address() {
    const { kind, drawing, sample, seen, thickness } = this;
    const drawn = kind === "drawing" && !drawing.empty;
    const small = kind === "picture" && seen !== null && seen.bytes.length <= MOST_SEEN;
    return {
      strokes: drawn ? pack(drawing.strokes) : null,
      thickness: thickness === PEN.usual ? null : String(thickness),
      sample: sample ? `${sample.data}:${sample.index}` : null,
      seen: small ? toBase64Url(seen.bytes) : null,
    };
  }

  /**
   * Takes over what the URL says, if it is something else.
   * @param {(key: string) => string | null} get the URL's values.
   * @param {number[]} stored [C, H, W] of the model's pictures.
   * @returns {Sample|null} the sample to fetch, where it is one.
   */
  read(get, stored) {
    const now = this.address();
    if (KEYS.every((key) => get(key) === now[key])) return null;
    this.thickness = thicknessOf(get("thickness"));
    const sample = sampleOf(get("sample"));
    const seen = seenOf(get("seen"), stored);
    if (sample) return sample;
    if (seen)
      Object.assign(this, {
        kind: "picture",
        sample: null,
        blob: new Blob([png(seen.bytes, seen.shape)], { type: "image/png" }),
        framed: true,
        seen,
      });
    else if (get("strokes") !== now.strokes || this.kind !== "drawing") {
      this.draw();
      this.drawing.load(unpack(get("strokes") ?? "") ?? []);
    }
    return null;
  }
}

function thicknessOf(text) {
  const value = Number.parseInt(text ?? "", 10) || PEN.usual;
  return Math.min(PEN.most, Math.max(PEN.least, value));
}

function sampleOf(text) {
  const found = /^([\w-]+):(\d+)$/.exec(text ?? "");
  return found && { data: found[1], index: Number(found[2]) };
}

function seenOf(text, stored) {
  const bytes = text && fromBase64Url(text);
  if (!bytes?.length) return null;
  const square = (channels) => {
    const side = Math.sqrt(bytes.length / channels);
    return Number.isInteger(side) ? [channels, side, side] : null;
  };
  const fits = stored[0] * stored[1] * stored[2] === bytes.length;
  const shape = fits ? stored : (square(1) ?? square(3));
  return shape && { shape, bytes };
}
