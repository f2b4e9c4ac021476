/** What a network in training sees: the picture, the probabilities, kernels and feature maps. */

import { createBars } from "/page/bars.js";
import { button, element, say } from "/page/draw-elements.js";
import { decode, drawPicture, scaleFor } from "/page/maps.js";
import { geometry } from "/page/network-layout.js";
import { createPainter } from "/page/network-paint.js";

const ROOM = 118; // CSS pixels of height for a layer's maps
const LAYERS = 6; // of maps, from the first on
const PLANES = 6; // of a kernel

/** The panel. It gets looks of train-look.js. */
export class Live {
  #t;
  #look = null;
  #shape = "";
  #painters = new Map();
  #parts;
  #bars;

  /**
   * @param {HTMLElement} root
   * @param {(key: string, values?: object) => string} t
   * @param {{other: () => void, mine: () => void}} on
   */
  constructor(root, t, on) {
    this.#t = t;
    this.#parts = {
      of: element("span", { class: "muted number", id: "live-of" }),
      none: element("p", { class: "muted", id: "live-none" }, t("train.live.none")),
      picture: element("canvas", {
        class: "map", id: "live-picture", role: "img", "aria-label": t("train.live.picture"),
      }),
      label: element("figcaption", { id: "live-label" }),
      bars: element("div", { id: "live-bars" }),
      kernels: element("div", { class: "strips", id: "live-kernels" }),
      maps: element("div", { class: "strips", id: "live-maps" }),
    };
    const { of, none, picture, label, bars, kernels, maps } = this.#parts;
    const choose = element("div", { class: "row" },
      button(t("train.live.other"), { class: "small", id: "live-other", onclick: on.other }),
      button(t("train.live.mine"), { class: "small", id: "live-mine", onclick: on.mine }));
    this.#parts.mine = choose.lastChild;
    this.#parts.body = element("div", { class: "live-body" },
      element("div", { class: "live-picture" }, element("figure", {}, picture, label), choose), bars, kernels, maps);
    root.append(element("div", { class: "row head" }, element("h2", {}, t("train.live")), of), none, this.#parts.body);
    this.#bars = createBars(bars, { label: t("train.live.probabilities") });
    this.clear();
  }

  /** Shows that there is nothing yet. */
  clear() {
    this.#look = null;
    this.#parts.body.hidden = true;
    this.#parts.none.hidden = false;
    say(this.#parts.of, "");
  }

  /**
   * Shows a look.
   * @param {{training: object, label: string | null, seen: object, kernels: object[]}} look
   * @param {{dark: boolean, drawn: boolean}} now `drawn`: whether there is a drawing to take
   */
  show(look, now) {
    this.#look = look;
    this.#parts.body.hidden = false;
    this.#parts.none.hidden = true;
    this.#parts.mine.hidden = !now.drawn || look.label === null;
    const { training, label, seen } = look;
    say(this.#parts.of, this.#t("train.live.of", { id: training.id, count: training.weights }));
    say(this.#parts.label, label === null ? this.#t("train.live.drawing") : this.#t("train.live.sample", { label }));
    this.#bars.update(seen.classes.map((name, i) => ({ label: name, probability: seen.probabilities[i] })));
    this.#build(look);
    this.paint(now.dark);
  }

  /** @param {boolean} dark whether the page is dark */
  paint(dark) {
    if (!this.#look) return;
    const { seen, kernels } = this.#look;
    drawPicture(this.#parts.picture, decode(seen.seen.data), seen.seen.shape);
    for (const layer of [...mapsOf(seen), ...kernels]) {
      const bytes = decode(layer.data);
      this.#painters.get(layer)?.({ bytes, low: layer.low, high: layer.high }, dark);
    }
  }

  /** Makes canvases where the layers are others; else the painters of the old ones go on. */
  #build({ seen, kernels }) {
    const maps = mapsOf(seen);
    const shapes = [...maps, ...kernels].map((one) => [one.name ?? one.layer, one.shape, one.shown]);
    const shape = JSON.stringify(shapes);
    const old = [...this.#painters.values()];
    const known = shape === this.#shape;
    this.#shape = shape;
    this.#painters.clear();
    if (known) {
      [...maps, ...kernels].forEach((layer, i) => this.#painters.set(layer, old[i]));
      return;
    }
    this.#parts.maps.replaceChildren(...maps.map((layer) => {
      const title = this.#t("train.live.maps", { layer: layer.name });
      return this.#strip(layer, title, `${layer.name} ${layer.kind}`, mapPainter);
    }));
    this.#parts.kernels.replaceChildren(...kernels.map((layer) => {
      const title = this.#t("train.live.kernels", { layer: layer.layer });
      return this.#strip(layer, title, title, kernelPainter);
    }));
  }

  #strip(layer, title, caption, painter) {
    const canvas = element("canvas", { class: "map", role: "img", "aria-label": title });
    this.#painters.set(layer, painter(canvas, layer));
    return element("figure", { "data-layer": layer.name ?? layer.layer }, element("figcaption", {}, caption), canvas);
  }
}

function mapsOf(seen) {
  return seen.layers.filter((layer) => layer.name !== "input" && layer.shape.length === 3).slice(0, LAYERS);
}

function mapPainter(canvas, layer) {
  return createPainter(canvas, geometry(layer.shape, layer.shown, ROOM));
}

/** Returns what paints kernels: a column a map of the layer, a row a map of the layer before. */
function kernelPainter(canvas, { shape, shown }) {
  const [height, width] = shape.slice(2);
  const [columns, rows] = [shown[0], Math.min(shown[1], PLANES)];
  const size = rows > 1 ? Math.max(1, Math.floor(16 / width)) : Math.max(1, Math.floor(32 / width));
  canvas.width = columns * (width + 1) - 1;
  canvas.height = rows * (height + 1) - 1;
  canvas.style.width = `${canvas.width * size}px`;
  canvas.style.height = `${canvas.height * size}px`;
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  return ({ bytes, low, high }, dark) => {
    const colours = scaleFor(low, high, dark);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        const from = (column * shown[1] + row) * height * width;
        const to = row * (height + 1) * canvas.width + column * (width + 1);
        for (let i = 0; i < height * width; i++) {
          pixels[to + Math.floor(i / width) * canvas.width + (i % width)] = colours[bytes[from + i]];
        }
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
}
