/** The drawing of a network: the server's SVG as elements of the page, its words in its language. */

import { language, orElse } from "../core/texts.js";

const NAME = "bold"; // the weight of a layer's name

/**
 * Puts a drawing into a place; nothing of it runs.
 * @param {HTMLElement} place
 * @param {string} text an SVG document
 * @returns {{layers: Map<string, Element>, ratio: number}} what shows each layer, by the layer's
 *   name; how much wider than high it is
 */
export function putDrawing(place, text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const svg = document.importNode(parsed, true);
  if (language() !== "en") for (const text of svg.querySelectorAll("text, title, desc")) translate(text);
  place.replaceChildren(svg);
  const layers = [...svg.querySelectorAll("[data-layer]")];
  const [, , width, height] = (svg.getAttribute("viewBox") ?? "0 0 1 1").split(" ").map(Number);
  return { layers: new Map(layers.map((layer) => [layer.getAttribute("data-layer") ?? "", layer])), ratio: width / height };
}

/** Puts the words of a text into the page's language, but for the names of layers. */
function translate(/** @type {Element} */ text) {
  if (text.tagName === "desc") text.textContent = orElse("drawing.desc", "");
  else if (text.tagName === "title") text.textContent = (text.textContent ?? "").split("\n").map(titleOf).join("\n");
  else if (text.getAttribute("font-weight") !== NAME) text.textContent = inWords(text.textContent ?? "");
}

/** `c1: Conv2d 5x5, padding 2`: all behind the layer's name. */
function titleOf(line) {
  const at = line.indexOf(": ");
  return at < 0 ? line : line.slice(0, at + 2) + inWords(line.slice(at + 2));
}

/** The whole, or each word of it, as far as there is one for it. */
function inWords(text) {
  return orElse(`drawing.${text}`, text.replace(/[A-Za-z]\w{2,}/g, (word) =>
    orElse(`drawing.${word}`, orElse(`detail.${word}`, orElse(`kind.${word}`, word)))));
}
