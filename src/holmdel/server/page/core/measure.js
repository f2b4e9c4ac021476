/** How wide a text is, without laying it out. */

import { context2d, element } from "./elements.js";

/** @type {CanvasRenderingContext2D | null} */
let context = null;
let family = "";

/** @param {string} text @param {number} size CSS pixels of the font. @returns {number} CSS pixels. */
export function widthOf(text, size, bold = false) {
  if (!context) {
    context = context2d(element("canvas"));
    family = getComputedStyle(document.body).fontFamily;
  }
  context.font = `${bold ? 700 : 400} ${size}px ${family}`;
  return Math.ceil(context.measureText(text).width);
}

/** Returns a text as it is where there is room; else its begin and its end. */
export function shortened(text, size, room, bold = false) {
  if (widthOf(text, size, bold) <= room) return text;
  for (let kept = text.length - 1; kept > 2; kept--) {
    const cut = `${text.slice(0, kept >> 1)}\u2026${text.slice(text.length - ((kept + 1) >> 1))}`;
    if (widthOf(cut, size, bold) <= room) return cut;
  }
  return "\u2026";
}
