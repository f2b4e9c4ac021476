/** Which unit is looked at: under the pointer, by the keys, or pinned. */

import { createPump } from "/page/draw-pump.js";
import { fieldOf } from "/page/network-marks.js";
import { placeText } from "/page/unit-grids.js";

/**
 * Makes what follows the pointer over the maps of the networks.
 * @param {object} options
 * @param {object} options.app
 * @param {() => {model: string, view: object}[]} options.nets those on the page.
 * @param {() => Blob} options.picture
 * @param {object} options.panel of unit-view.js.
 * @param {object} options.seen of draw-look.js.
 */
export function createPointing({ app, nets, picture, panel, seen }) {
  let [hovered, pinned, shown] = [null, null, ""];
  const control = new AbortController();
  const current = () => hovered ?? pinned;
  const pump = createPump(async (wanted) => {
    const net = nets()[wanted.net];
    if (!net || current() !== wanted) return;
    try {
      const params = { model: net.model, layer: wanted.layer, unit: wanted.unit.join(",") };
      const answer = await app.api.picture("/v1/unit", params, picture(), control);
      if (current() !== wanted || control.signal.aborted) return;
      panel.show(answer, net.view.layers, wanted === pinned);
      markWindow(net.view, answer);
      if (wanted.spoken) app.announce(`${placeText(answer.unit, app.t)}: ${answer.value.toPrecision(4)}`);
    } catch (error) {
      if (!control.signal.aborted) app.fail(error);
    }
  });

  const show = () => {
    const wanted = current();
    nets().forEach(({ view }) => view.clearMarks());
    seen.mark(null);
    const net = wanted && nets()[wanted.net];
    const layer = net?.view.layers.get(wanted.layer);
    if (!layer) {
      panel.hide();
      return;
    }
    markUnit(net.view, layer, wanted.unit, seen);
    if (wanted.layer === "input") panel.hide();
    else pump.ask(wanted);
  };
  const hover = (wanted) => {
    const key = wanted && textOf(wanted);
    if (key === shown) return;
    shown = key;
    hovered = wanted;
    show();
  };
  const pin = (wanted) => {
    pinned = wanted;
    hovered = null;
    shown = null;
    app.state.set({ unit: wanted && textOf(wanted) });
    show();
  };
  return {
    /** Returns what network-point.js calls, for the network of this number. */
    on: (net) => ({
      dark: () => app.theme.dark,
      hover: (layer, unit, spoken = false) => hover({ net, layer: layer.layer.name, unit, spoken }),
      leave: () => hover(null),
      pin: (layer, unit) => {
        const wanted = { net, layer: layer.layer.name, unit };
        const again = pinned && textOf(pinned) === textOf(wanted);
        if (wanted.layer !== "input") pin(again ? null : wanted);
      },
      current: (layer) => {
        const found = [hovered, pinned].find((one) => one?.net === net && one.layer === layer.layer.name);
        return found?.unit ?? null;
      },
      step: (layer, by) => step(nets()[net].view.layers, layer, by),
    }),
    pinCurrent: () => current() && pin(current() === pinned ? null : current()),
    unpin: () => pin(null),
    /** Takes over the unit that the URL names, once the layers are known. */
    read() {
      const text = app.state.get("unit");
      if (text === (pinned && textOf(pinned))) return;
      pinned = unitOf(text, nets());
      show();
    },
    /** Shows the unit anew: the picture or the network is another. */
    refresh: () => current() && show(),
    get pinned() { return pinned !== null; },
    off: () => control.abort(),
  };
}

function markUnit(view, layer, unit, seen) {
  const [map, row, column] = unit.length === 3 ? unit : [unit[0], 0, 0];
  layer.mark("unit", [map], { top: row, left: column, height: 1, width: 1 });
  const field = layer.layer.name === "input" ? null : fieldOf(layer.layer.receptive_field, unit);
  const input = view.layers.get("input");
  if (field) input.mark("field", allMaps(input), field);
  seen.mark(field ?? (layer.layer.name === "input" ? { top: row, left: column, height: 1, width: 1 } : null));
}

/** Marks what a unit sees in the layer before, and in the input where only the answer says. */
function markWindow(view, { before, field, layer: name }) {
  const layer = view.layers.get(before.layer);
  if (!layer || name === before.layer) return;
  const { geometry } = layer;
  const vector = layer.layer.shape.length === 1;
  if (before.window) layer.mark("window", before.channels, before.window);
  else if (vector && before.channels.length < geometry.shown) {
    layer.mark("window", before.channels, { top: 0, left: 0, height: 1, width: 1 });
  } else {
    const { height, width } = geometry;
    layer.mark("window", allMaps(layer), { top: 0, left: 0, height, width });
  }
  const input = view.layers.get("input");
  if (field) input.mark("field", allMaps(input), field);
}

function allMaps({ geometry }) {
  return Array.from({ length: geometry.shown }, (_, map) => map);
}

function step(layers, layer, by) {
  const all = [...layers.values()];
  const next = all[all.indexOf(layer) + by];
  next?.canvas.focus({ focusVisible: true });
  next?.node.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Returns a unit as the URL has it: `c1.2.3.4`, `2:f6.5` for one of the compared model. */
function textOf({ net, layer, unit }) {
  return `${net ? `${net + 1}:` : ""}${layer}.${unit.join(".")}`;
}

function unitOf(text, nets) {
  const found = /^(?:(\d):)?(.+)$/.exec(text ?? "");
  const net = found ? Number(found[1] ?? 1) - 1 : 0;
  const layers = nets[net]?.view.layers;
  if (!found || !layers) return null;
  const parts = found[2].split(".");
  for (const count of [3, 1]) {
    const layer = parts.slice(0, -count).join(".");
    const unit = parts.slice(-count).map(Number);
    const shape = layers.get(layer)?.layer.shape;
    const fits = shape?.length === count && unit.every((at, i) => at >= 0 && at < shape[i]);
    if (fits) return { net, layer, unit };
  }
  return null;
}
