/** One layer on the page: its name, what it is, and its maps. */

import { element } from "/page/draw-elements.js";
import { geometry as geometryOf } from "/page/network-layout.js";
import { createMarks } from "/page/network-marks.js";
import { createPainter } from "/page/network-paint.js";
import { listen } from "/page/network-point.js";

const LEAST_CAPTION = 88; // CSS pixels

/**
 * Makes a layer.
 * @param {object} options
 * @param {object} options.layer of the answer of /v1/activations.
 * @param {{column: number, lane: number, alone: boolean}} options.place
 * @param {number} options.room CSS pixels of height for its maps.
 * @param {string[]|null} options.labels of its units, where they are the classes.
 * @param {(key: string, values?: object) => string} options.t
 * @param {object} options.on
 * @param {(layer: string) => void} options.onKernels
 */
export function createLayer({ layer, place, room, labels, t, on, onKernels }) {
  const picture = layer.name === "input";
  const crowded = !place.alone;
  const geometry = geometryOf(layer.shape, layer.shown, room, { crowded, picture });
  const canvas = element("canvas", {
    class: "maps", tabindex: "0", role: "application", "data-layer": layer.name,
    "aria-label": label(layer, t), "aria-describedby": "maps-help",
    "data-rows": geometry.rows, "data-size": geometry.size, "data-gap": geometry.gap,
    "data-map-width": geometry.width, "data-map-height": geometry.height,
  });
  const frame = element("div", { class: "maps-frame" }, canvas);
  const brief = labels?.every((text) => text.length < 4); // the answer beside it has the long ones
  if (brief && layer.shown === labels.length) frame.append(labelList(labels, geometry));
  const node = element("figure", { class: "layer", "data-layer": layer.name, "data-kind": layer.kind },
    caption(layer, geometry, t, onKernels), frame);
  node.classList.toggle("alone", place.alone);
  node.style.setProperty("--column", place.column + 1);
  node.style.setProperty("--lane", place.lane + 1);
  const painter = createPainter(canvas, geometry);
  const paint = (of, dark) => painter(picture ? { ...of, low: 0, high: 255 } : of, dark); // as a photo
  const mark = createMarks(frame, geometry);
  let [values, waits, visible] = [null, false, true];

  const look = new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    if (!visible || !waits) return;
    waits = false;
    paint(values, on.dark());
  }, { rootMargin: "200px" });
  look.observe(canvas);
  const made = {
    node, canvas, geometry, layer, mark,
    get values() { return values; },
    show(given, dark) {
      values = given;
      if (visible) paint(values, dark);
      else waits = true;
    },
    repaint: (dark) => values && paint(values, dark),
    clearMarks: () => ["field", "window", "unit"].forEach((kind) => mark(kind, [], null)),
  };
  listen(made, on);
  return made;
}

function caption(layer, { canvasWidth, size }, t, onKernels) {
  const name = element("b", { title: layer.name }, shortName(layer.name));
  const parts = [name, element("span", {}, layer.kind)];
  if (layer.detail) parts.push(element("span", { class: "muted" }, layer.detail));
  parts.push(element("span", { class: "number" }, layer.shape.join("\u00d7")));
  const hidden = layer.shape[0] - layer.shown;
  if (hidden > 0) {
    const { shown, shape } = layer;
    parts.push(element("span", { class: "badge" }, t("draw.some", { shown, all: shape[0] })));
  }
  if (layer.kernels) {
    parts.push(element("button", {
      type: "button", class: "link kernels-button", "data-kernels": layer.name,
      onclick: () => onKernels(layer.name),
    }, t("draw.kernels")));
  }
  const made = element("figcaption", {}, ...parts);
  made.style.maxWidth = `${Math.max(LEAST_CAPTION, canvasWidth * size)}px`;
  return made;
}

/** Returns the end of a long name: its block stands over the branches. */
function shortName(name) {
  return name.length > 16 && name.includes(".") ? `\u2026${name.split(".").slice(-2).join(".")}` : name;
}

function label(layer, t) {
  const [count, height, width] = layer.shape;
  const { name, kind } = layer;
  return layer.shape.length === 3
    ? t("draw.maps-label", { name, kind, count, height, width })
    : t("draw.units-label", { name, kind, count });
}

function labelList(labels, { size }) {
  const list = element("ol", { class: "unit-labels", "aria-hidden": "true" });
  list.style.lineHeight = `${size}px`;
  list.append(...labels.map((text) => element("li", {}, text)));
  return list;
}
