/** HTML and SVG elements, made in one call each, and what is done with them everywhere. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Value */
/** @typedef {Record<string, Value>} Given */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name of the tag.
 * @param {Given} given attributes; a function
 *   under `on…` listens; null and false are left out.
 * @param {(Node|string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, given = {}, ...children) {
  return filled(document.createElement(name), given, children);
}

/**
 * As `element`, of SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Given} given
 * @param {(Node|string)[]} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(name, given = {}, ...children) {
  return filled(document.createElementNS(SVG, name), given, children);
}

/**
 * @template {Element} E
 * @param {E} made
 * @param {Given} given
 * @param {(Node|string)[]} children
 */
function filled(made, given, children) {
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(key, String(value));
  }
  made.append(...children);
  return made;
}

/** @param {string | Node} text @param {Given} given as for `element` */
export function button(text, given = {}) {
  const kind = `button ${given.class ?? ""}`.trim();
  return element("button", { type: "button", ...given, class: kind }, text);
}

/** Puts a control below its name. @param {string} name @param {HTMLElement} control */
export function field(name, control) {
  return element("label", { class: "field" }, element("span", {}, name), control);
}

/** Puts a checkbox before its name. @param {string} name @param {HTMLElement} control */
export function check(name, control) {
  return element("label", { class: "check" }, control, element("span", {}, name));
}

/** Sets a text, if it is another. @param {Node} place @param {string} text */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Gives a file to the user. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {CanvasRenderingContext2D} what draws on it.
 */
export function context2d(canvas, settings) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}
