/** What the page says, in English and Chinese. */

import shell from "/page/shell-texts.js";

const tables = { en: { ...shell.en }, zh: { ...shell.zh } };
let current = "en";

/** @returns {"en"|"zh"} the language of the page. */
export function language() {
  return current;
}

/** @param {string} wanted such as "zh-CN"; English is taken for what is not Chinese. */
export function setLanguage(wanted) {
  current = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** @param {{en: Object<string, string>, zh: Object<string, string>}} more the texts of a tab. */
export function addTexts(more) {
  for (const name of Object.keys(tables)) Object.assign(tables[name], more[name]);
}

/**
 * @param {string} key
 * @param {Object<string, unknown>} values fill what stands in braces.
 * @returns {string} the text in the page's language; the key itself where there is none.
 */
export function t(key, values = {}) {
  const text = tables[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (braces, name) => values[name] ?? braces);
}

/**
 * @param {number} part 0..1.
 * @returns {string} as percent; less than all is never shown as all.
 */
export function percent(part) {
  const rounded = (100 * part).toFixed(1);
  return part < 1 && rounded === "100.0" ? ">99.9%" : `${rounded}%`;
}

/** @returns {string} a number with so many digits behind the point, and a real minus. */
export function decimal(value, digits = 2) {
  return value.toFixed(digits).replace("-", "\u2212");
}
