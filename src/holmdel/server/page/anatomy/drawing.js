/** The drawing of a network: the server's SVG as elements of the page. */

/**
 * Puts a drawing into a place; nothing of it runs.
 * @param {HTMLElement} place
 * @param {string} text an SVG document
 * @returns {Map<string, Element>} what shows each layer, by the layer's name
 */
export function putDrawing(place, text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const svg = document.importNode(parsed, true);
  place.replaceChildren(svg);
  const layers = [...svg.querySelectorAll("[data-layer]")];
  return new Map(layers.map((layer) => [layer.getAttribute("data-layer") ?? "", layer]));
}
