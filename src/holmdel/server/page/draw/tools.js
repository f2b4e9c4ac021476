/** What is under the sheet: undo, redo, clear, thickness. */

import { PEN } from "./raster.js";
import { button, element } from "../core/elements.js";
import { t } from "../core/texts.js";

/** @import { ToolsOptions } from "../types.d.ts" */


const ACTIONS = ["undo", "redo", "clear"];

/** The tools of the sheet, which work on its source; keys too. */
export class Tools {
  #onKey = (event) => this.#byKey(event);

  /** @param {ToolsOptions} options */
  constructor({ source, onChange, save }) {
    this.source = source;
    this.onChange = onChange;
    this.buttons = ACTIONS.map((action) => {
      const onclick = (event) => this.#act(action, event);
      return button(t(`draw.${action}`), { id: action, class: "small", onclick });
    });
    this.slider = element("input", {
      id: "thickness",
      type: "range",
      min: PEN.least,
      max: PEN.most,
      step: 1,
      value: source.thickness,
      "aria-label": t("draw.thickness"),
      title: t("draw.thickness"),
      oninput: (event) => {
        source.thickness = Number(this.slider.value);
        onChange(event);
      },
    });
    const name = element("span", {}, t("draw.pen"));
    this.save = button("\u2913", { id: "save", class: "small", "aria-label": t("draw.save"), title: t("draw.save"), onclick: save });
    const width = element("label", { class: "thickness" }, name, this.slider);
    this.node = element("div", { class: "tools" }, ...this.buttons, this.save, width);
    document.addEventListener("keydown", this.#onKey);
  }

  /** Shows what can be done now. */
  update() {
    const { source, slider } = this;
    const drawn = source.kind === "drawing";
    const can = {
      undo: !drawn || source.drawing.canUndo,
      redo: drawn && source.drawing.canRedo,
      clear: !source.empty,
    };
    for (const one of this.buttons) {
      if (one.disabled === can[one.id]) one.disabled = !can[one.id]; // else no layout
    }
    if (this.save.disabled !== source.empty) this.save.disabled = source.empty;
    if (Number(slider.value) !== source.thickness) slider.value = String(source.thickness);
  }

  off() {
    document.removeEventListener("keydown", this.#onKey);
  }

  /** Does it to the drawing; a sample or a picture can only be taken away. */
  #act(action, event) {
    const { source } = this;
    if (source.kind === "drawing") source.drawing[action]();
    else if (action !== "redo") source.draw();
    this.onChange(event);
  }

  #byKey(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isText(event.target)) return;
    const key = event.key.toLowerCase();
    const again = key === "y" || (key === "z" && event.shiftKey);
    if (!again && key !== "z") return;
    event.preventDefault();
    this.#act(again ? "redo" : "undo", event);
  }
}

function isText(target) {
  return target.matches?.("input:not([type=range]):not([type=checkbox]), textarea");
}
