/** What every explanation has: a line of numbers, whether they agree, a list that grows. */

import { button, element, say } from "../core/elements.js";
import { t } from "../core/texts.js";

/** @returns {HTMLElement} a line of numbers. */
export function numbers(given, ...parts) {
  return element("p", { class: "equation mono", ...given }, ...parts);
}

/** @param {boolean} same @param {string} [key] what is said where it is. @returns {HTMLElement} */
export function verdict(same, key = "draw.same") {
  const kind = `badge ${same ? "good" : "bad"}`;
  return element("span", { class: kind, title: t("draw.same-help") }, `${same ? "\u2713" : "\u2717"} ${t(same ? key : "draw.other")}`);
}

/** Fills a list with the first of its items; returns the button that adds more. */
export function growing(list, items, { first, step }, key, make) {
  let shown = 0;
  const more = button("", { class: "small", onclick: () => add(step) });
  const add = (count) => {
    list.append(...items.slice(shown, shown + count).map(make));
    shown = Math.min(items.length, shown + count);
    more.hidden = shown === items.length;
    say(more, t(key, { count: items.length - shown }));
  };
  add(first);
  return more;
}
