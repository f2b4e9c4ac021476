/** What the page says, in English and Chinese. */

import shell from "./shell-texts.js";

/** @type {Record<"en" | "zh", Record<string, string>>} */
const tables = { en: { ...shell.en }, zh: { ...shell.zh } };
/** @type {"en" | "zh"} */
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
  Object.assign(tables.en, more.en);
  Object.assign(tables.zh, more.zh);
}

/**
 * @param {string} key
 * @param {Object<string, any>} values fill what stands in braces.
 * @returns {string} the text in the page's language; the key itself where there is none.
 */
export function t(key, values = {}) {
  const text = tables[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (braces, name) => values[name] ?? braces);
}

/** @returns {string} a text; the other one where there is none. */
export function orElse(key, other) {
  const text = t(key);
  return text === key ? other : text;
}
