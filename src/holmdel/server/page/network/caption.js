/** What stands above a layer's maps: as much as there is room for, and no number cut. */

import { element } from "../core/elements.js";
import { shortened, widthOf } from "../core/measure.js";
import { language, t } from "../core/texts.js";
import { detailName, kindName } from "./names.js";

/** @import { CaptionOptions, Layer } from "../types.d.ts" */

const NAME = { large: 13, small: 11.5 }; // CSS pixels of the fonts
const TEXT = 11;
const GRID = "\u25a6"; // for the kernels, where the word does not fit
const BESIDE = 5; // CSS pixels between two words

const kindOf = ({ kind }) => (language() === "zh" ? kindName(kind) : kind);

/** @param {Layer} layer @param {number} shown maps. @returns {string[]} the sizes, the fullest first. */
function sizesOf({ shape }, shown) {
  const all = shape.join("\u00d7");
  return shown < shape[0] ? [`${shown}/${all}`, all] : [all];
}

/**
 * Tells how wide a caption is.
 * @param {Layer} layer @param {string} own its name, as far as it stands there
 * @returns {number[]} CSS pixels of all of it, of its name and kind, and of the name alone
 */
export function captionWidths(layer, own) {
  const name = widthOf(own, NAME.small, true);
  const kind = widthOf(kindOf(layer), TEXT);
  const more = (word) => (layer.kernels ? BESIDE + widthOf(word, TEXT) : 0);
  const size = widthOf(sizesOf(layer, layer.shown)[0], TEXT);
  const whole = Math.max(widthOf(own, NAME.large, true), kind + more(t("draw.kernels")), size);
  return [whole + 2, Math.max(name, kind + more(GRID)) + 2, name + 2];
}

/**
 * Makes the caption of a layer.
 * @param {CaptionOptions} options `room`: CSS pixels
 */
export function caption({ layer, own, shown, room, brief, onKernels, onKind }) {
  const { name, kind } = layer;
  const large = !brief && widthOf(own, NAME.large, true) <= room;
  const text = large ? own : nameFor(own, room);
  const given = { type: "button", class: "kind", title: t("kind.open", { kind: kindName(kind) }), onclick: () => onKind(layer) };
  const size = sizesOf(layer, shown).find((one) => widthOf(one, TEXT) <= room);
  const details = detailsOf(layer, shown);
  const kernels = layer.kernels ? kernelsButton(name, room - widthOf(kindOf(layer), TEXT) - BESIDE, onKernels) : null;
  const node = element("figcaption", { title: size ? null : details },
    element("b", { title: name, class: large && "large" }, text),
    element("button", given, kindOf(layer)), ...(kernels ? [kernels] : []),
    element("span", { class: "number shape", hidden: !size, title: details }, size ?? ""));
  const second = widthOf(kindOf(layer), TEXT) + (kernels ? BESIDE + widthOf(kernels.textContent ?? "", TEXT) : 0);
  const widest = Math.max(widthOf(text, large ? NAME.large : NAME.small, true), second, widthOf(size ?? "", TEXT));
  node.style.width = `${Math.min(room, widest + 2)}px`;
  return node;
}

/** A name as it is, or `s1.b2.conv1` of stage1.block2.conv1, or its begin and its end. */
function nameFor(name, room) {
  const parts = name.split(".");
  const initials = parts.slice(0, -1).map((part) => part.replace(/^(\D)\D*/, "$1"));
  const ways = [name, [...initials, parts[parts.length - 1]].join(".")];
  return ways.find((way) => widthOf(way, NAME.small, true) <= room) ?? shortened(name, NAME.small, room, true);
}

function kernelsButton(name, left, onKernels) {
  const word = t("draw.kernels");
  const fits = widthOf(word, TEXT) <= left;
  const onclick = () => onKernels(name);
  const given = { type: "button", class: "link", "data-kernels": name, title: word, "aria-label": fits ? null : word, onclick };
  return element("button", given, fits ? word : GRID);
}

function detailsOf({ shape, detail }, shown) {
  const some = shown < shape[0] ? t("draw.some", { shown, all: shape[0] }) : "";
  return [shape.join("\u00d7"), some, detailName(detail)].filter(Boolean).join(" \u00b7 ");
}
