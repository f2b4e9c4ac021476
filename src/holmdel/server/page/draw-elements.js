/** Elements in one call. */

/**
 * @param {string} name of the tag.
 * @param {Object<string, any>} given attributes; a function
 *   under `on…` listens; null and false are left out.
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function element(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/**
 * @param {string} text
 * @param {Object<string, any>} given as for `element`.
 * @returns {HTMLButtonElement}
 */
export function button(text, given = {}) {
  const kind = `button ${given.class ?? ""}`.trim();
  return element("button", { type: "button", ...given, class: kind }, text);
}

/** @param {Element} of @param {string} text sets a text, if it is another. */
export function say(of, text) {
  if (of.textContent !== text) of.textContent = text;
}
