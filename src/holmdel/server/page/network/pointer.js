/** Pointing at units: mouse, finger, keys. */

import { origin, unitAt } from "./layout.js";

/** @import { PointerHandlers } from "../types.d.ts" */

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Listens on a layer's canvas.
 * @param {import("./layer.js").LayerView} layer
 * @param {PointerHandlers} on
 */
export function listen(layer, on) {
  const { canvas, geometry } = layer;
  const vector = layer.layer.shape.length === 1;
  const named = (place) => place && (vector ? [place[0]] : place);
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return named(unitAt(geometry, event.clientX - box.left, event.clientY - box.top));
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const unit = at(event);
    if (unit) on.hover(layer, unit);
    else on.leave();
  });
  canvas.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && on.leave());
  canvas.addEventListener("click", (event) => {
    const unit = at(event);
    if (unit) on.pin(layer, unit);
  });
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible"))
      on.hover(layer, on.current(layer) ?? named(start(geometry)));
  });
  canvas.addEventListener("blur", () => on.leave());
  canvas.addEventListener("keydown", (event) => onKey(event, layer, on, named));
}

function onKey(event, layer, on, named) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { geometry } = layer;
  const now = on.current(layer) ?? named(start(geometry));
  const [map, row, column] = [now[0], now[1] ?? 0, now[2] ?? 0];
  const { key } = event;
  if (WAYS[key]) on.hover(layer, named(moved(geometry, [map, row, column], WAYS[key])), true);
  else if (key === "PageDown" || key === "PageUp") {
    const next = map + (key === "PageDown" ? 1 : -1);
    if (next >= 0 && next < geometry.shown) on.hover(layer, named([next, row, column]), true);
  } else if (key === "Enter" || key === " ") on.pin(layer, now);
  else if (key === "]" || key === "[") on.step(layer, key === "]" ? 1 : -1);
  else return;
  event.preventDefault();
}

function start({ width, height }) {
  return [0, height >> 1, width >> 1];
}

/** Returns the unit beside another; over the edge of a map it is in the next map that way. */
function moved(geometry, [map, row, column], [right, down]) {
  const { width, height, gap, size } = geometry;
  const next = [map, row + down, column + right];
  if (next[1] >= 0 && next[1] < height && next[2] >= 0 && next[2] < width) return next;
  const [left, top] = origin(geometry, map);
  const x = left + column + right * (gap + 1) + 0.5;
  const y = top + row + down * (gap + 1) + 0.5;
  return unitAt(geometry, x * size, y * size) ?? [map, row, column];
}
