/** What is under the sheet: undo, redo, clear, thickness; and the data set's samples. */

import { button, element } from "/page/draw-elements.js";
import { PEN } from "/page/draw-raster.js";

/**
 * Makes the tools of the sheet.
 * @param {object} options
 * @param {import("/page/draw-source.js").Source} options.source
 * @param {(key: string) => string} options.t
 * @param {(event: Event) => void} options.onChange after a change of what is drawn.
 * @returns {{node: HTMLElement, update: () => void, off: () => void}}
 */
export function createTools({ source, t, onChange }) {
  const act = (change) => (event) => {
    change();
    onChange(event);
  };
  const undo = act(() => source.kind === "drawing" ? source.drawing.undo() : source.draw());
  const redo = act(() => source.kind === "drawing" && source.drawing.redo());
  const clear = act(() => source.kind === "drawing" ? source.drawing.clear() : source.draw());
  const buttons = {
    undo: button(t("draw.undo"), { id: "undo", class: "small", onclick: undo }),
    redo: button(t("draw.redo"), { id: "redo", class: "small", onclick: redo }),
    clear: button(t("draw.clear"), { id: "clear", class: "small", onclick: clear }),
  };
  const slider = element("input", {
    id: "thickness", type: "range", min: PEN.least, max: PEN.most, step: 1,
    value: source.thickness, "aria-label": t("draw.thickness"), title: t("draw.thickness"),
    oninput: act(() => (source.thickness = Number(slider.value))),
  });
  const keys = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isText(event.target)) return;
    const key = event.key.toLowerCase();
    const change = key === "y" || (key === "z" && event.shiftKey) ? redo : key === "z" ? undo : null;
    if (!change) return;
    event.preventDefault();
    change(event);
  };
  document.addEventListener("keydown", keys);
  const width = element("label", { class: "thickness" }, element("span", {}, t("draw.pen")), slider);
  return {
    node: element("div", { class: "tools" }, ...Object.values(buttons), width),
    update() {
      const drawn = source.kind === "drawing";
      enable(buttons.undo, !drawn || source.drawing.canUndo);
      enable(buttons.redo, drawn && source.drawing.canRedo);
      enable(buttons.clear, !source.empty);
      if (Number(slider.value) !== source.thickness) slider.value = source.thickness;
    },
    off: () => document.removeEventListener("keydown", keys),
  };
}

function enable(one, wanted) {
  if (one.disabled === wanted) one.disabled = !wanted; // no layout where nothing changes
}

function isText(target) {
  return target.matches?.("input:not([type=range]):not([type=checkbox]), textarea");
}

/**
 * Makes the strip of samples.
 * @param {object} options
 * @param {(key: string, values?: object) => string} options.t
 * @param {(sample: {index: number, label: string, data: string, picture: string}) => void}
 *   options.onChoose
 * @param {() => void} options.onMore asks for others.
 * @returns {{node: HTMLElement, show: (answer: object|null) => void, mark: (sample) => void}}
 */
export function createSamples({ t, onChoose, onMore }) {
  const list = element("div", { class: "samples", role: "group", "aria-label": t("draw.samples") });
  const more = button(t("draw.more-samples"), { id: "more-samples", class: "small", onclick: onMore });
  const head = element("div", { class: "head" }, element("h3", {}, t("draw.samples")), more);
  const node = element("section", { class: "sample-box", hidden: true }, head, list);
  const made = ({ index, label, picture }, data) => {
    const image = element("img", { src: picture, alt: "", width: 28, height: 28 });
    const name = t("draw.sample", { label, index });
    return element("button", {
      type: "button", class: "sample", "data-index": index, "data-label": label, title: name,
      "aria-label": name, "aria-pressed": "false",
      onclick: () => onChoose({ index, label, data, picture }),
    }, image);
  };
  return {
    node,
    show(answer) {
      node.hidden = !answer?.samples.length;
      if (!node.hidden) list.replaceChildren(...answer.samples.map((one) => made(one, answer.data)));
    },
    mark(sample) {
      for (const one of list.children) {
        const chosen = sample !== null && Number(one.dataset.index) === sample.index;
        one.setAttribute("aria-pressed", String(chosen));
      }
    },
  };
}
