/** What the page says, in English and Chinese: en.json and zh.json, one of them at a time. */

/** @typedef {"en" | "zh"} Language */

/** @type {Record<Language, Record<string, string>>} */
const tables = { en: {}, zh: {} };
const known = new Set(); // parts of the texts that are here
/** @type {Language} */
let current = "en";

/** @returns {Language} the language of the page. */
export function language() {
  return current;
}

/**
 * @param {string} wanted such as "zh-CN"
 * @returns {Language} what is shown for it: English for what is not Chinese.
 */
export function languageOf(wanted) {
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** @param {string} wanted as for `languageOf`. @param {Record<string, string>} [table] its texts. */
export function setLanguage(wanted, table) {
  current = languageOf(wanted);
  if (table) tables[current] = table;
}

/**
 * Fetches texts of a language, once: `""` for those of the frame and the first tab, `-later` for the others'.
 * @param {(path: string) => Promise<Record<string, string>>} get
 * @param {string} wanted as for `languageOf`
 */
export async function loadTexts(get, wanted, part = "") {
  const name = languageOf(wanted);
  if (known.has(name + part)) return;
  Object.assign(tables[name], await get(`/page/${name}${part}.json`));
  known.add(name + part);
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
