/** What kinds of layers are called, and their details, in the page's language. */

import { language, orElse, t } from "../core/texts.js";

/** @returns {string} the name of a kind, such as "convolution" of Conv2d. */
export function kindName(kind) {
  return orElse(`kind.${kind}`, kind);
}

/** @returns {string} three sentences on a kind of layer; "" where none are known. */
export function kindText(kind) {
  return orElse(`kind.${kind}.text`, "");
}

/** @returns {string} a detail such as "5x5, padding 2" in the page's language. */
export function detailName(detail) {
  if (language() === "en") return detail;
  return detail.replace(/[a-z]{3,}/g, (word) => orElse(`detail.${word}`, word));
}

/** @returns {string} where a unit is, counted from 0 as in Python: of a map, or of a vector. */
export function placeText(at) {
  const [map, row, column] = at;
  return at.length === 3 ? t("draw.place", { map, row, column }) : t("draw.place-unit", { unit: map });
}
