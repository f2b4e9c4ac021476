/** What stands above a layer's maps: as much as there is room for, and no number cut. */

import { element } from "../core/elements.js";
import { shortForms } from "./groups.js";
import { shortened, widthOf } from "../core/measure.js";
import { language, t } from "../core/texts.js";
import { detailName, kindName } from "./names.js";

/** @import { CaptionOptions, Layer } from "../types.d.ts" */

const NAME = { large: 13, small: 11.5 }; // CSS pixels of the fonts
const TEXT = 11;
const GRID = "\u25a6"; // for the kernels, where the word does not fit
const BESIDE = 5; // CSS pixels between two words
const ROUND = 14; // CSS pixels left and right of what opens a group

/** The kind of a layer; of a group, how many layers it has. */
function kindOf(/** @type {Layer} */ layer, room = Infinity) {
  const { kind, stage } = layer;
  if (stage) {
    const text = `${t("stages.layers", { count: stage.members.length })} +`;
    return widthOf(text, TEXT, true) + ROUND <= room ? text : `${stage.members.length} +`;
  }
  return language() === "zh" ? kindName(kind) : kind;
}

const kindWidth = (/** @type {Layer} */ layer, room = Infinity) => widthOf(kindOf(layer, room), TEXT, Boolean(layer.stage)) + (layer.stage ? ROUND : 0);

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
  const kind = kindWidth(layer);
  const more = (word) => (layer.kernels && !layer.stage ? BESIDE + widthOf(word, TEXT) : 0);
  const size = widthOf(sizesOf(layer, layer.shown)[0], TEXT);
  const whole = Math.max(widthOf(own, NAME.large, true), kind + more(t("draw.kernels")), size);
  return [whole + 2, Math.max(name, kind + more(GRID)) + 2, name + 2];
}

/**
 * Makes the caption of a layer.
 * @param {CaptionOptions} options `room`: CSS pixels
 */
export function caption({ layer, own, shown, room, brief, onKernels, onKind, onOpen }) {
  const { name, kind, stage } = layer;
  const large = !brief && widthOf(own, NAME.large, true) <= room;
  const text = large ? own : nameFor(own, room);
  const what = stage ? t("stages.open", { name: stage.key }) : t("kind.open", { kind: kindName(kind) });
  const onclick = () => (stage ? onOpen(stage.opens) : onKind(layer));
  const given = { type: "button", class: "kind", title: what, "data-open": stage?.key, "aria-expanded": stage ? "false" : null, onclick };
  const size = sizesOf(layer, shown).find((one) => widthOf(one, TEXT) <= room);
  const details = detailsOf(layer, shown);
  const kernels = layer.kernels && !stage ? kernelsButton(name, room - kindWidth(layer) - BESIDE, onKernels) : null;
  const node = element("figcaption", { title: size ? null : details },
    element("b", { title: stage?.key ?? name, class: large && "large" }, text),
    element("button", given, kindOf(layer, room)), ...(kernels ? [kernels] : []),
    element("span", { class: "number shape", hidden: !size, title: details }, size ?? ""));
  const second = kindWidth(layer, room) + (kernels ? BESIDE + widthOf(kernels.textContent ?? "", TEXT) : 0);
  const widest = Math.max(widthOf(text, large ? NAME.large : NAME.small, true), second, widthOf(size ?? "", TEXT));
  node.style.width = `${Math.min(room, widest + 2)}px`;
  return node;
}

/** A name as it is, or in a short form, or its begin and its end. */
function nameFor(name, room) {
  return [name, ...shortForms(name)].find((way) => widthOf(way, NAME.small, true) <= room) ?? shortened(name, NAME.small, room, true);
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
