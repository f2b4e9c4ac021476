/** Elements in one call. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name of the tag.
 * @param {Object<string, any>} given attributes; a function
 *   under `on…` listens; null and false are left out.
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(name, given = {}, ...children) {
  return filled(document.createElement(name), given, children);
}

/** @returns {SVGElement} as `element`, of SVG. */
export function svg(name, given = {}, ...children) {
  return filled(document.createElementNS(SVG, name), given, children);
}

function filled(made, given, children) {
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** @returns {HTMLButtonElement} with a text; `given` as for `element`. */
export function button(text, given = {}) {
  const kind = `button ${given.class ?? ""}`.trim();
  return element("button", { type: "button", ...given, class: kind }, text);
}

/** @returns {HTMLLabelElement} a control below its name. */
export function field(name, control) {
  return element("label", { class: "field" }, element("span", {}, name), control);
}

/** @returns {HTMLLabelElement} a checkbox before its name. */
export function check(name, control) {
  return element("label", { class: "check" }, control, element("span", {}, name));
}

/** Sets a text, if it is another. */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
