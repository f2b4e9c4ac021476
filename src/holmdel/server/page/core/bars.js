/** Probabilities as labelled bars. */

import { element, say } from "./elements.js";
import { percent } from "./numbers.js";
import { t } from "./texts.js";

/**
 * Makes a list of bars.
 * @param {HTMLElement} root
 * @param {(index: number) => void} [onPick] is told which bar was chosen.
 * @returns {{update: (items: {label: string, probability: number}[]) => void,
 *   mark: (index: number | null) => void}} update shows other probabilities in the bars that are
 *   there, in the order given; the greatest is marked.
 */
export function createBars(root, onPick) {
  const list = element("ol", { class: "bars", "aria-label": t("shell.probabilities") });
  root.append(list);
  const rows = [];
  return {
    update(items) {
      while (rows.length < items.length) rows.push(addRow(list, rows.length, onPick));
      while (rows.length > items.length) rows.pop().item.remove();
      const greatest = Math.max(Number.MIN_VALUE, ...items.map((item) => item.probability));
      items.forEach((item, i) => showRow(rows[i], item, item.probability === greatest));
    },
    mark(index) {
      rows.forEach(({ item }, i) => item.classList.toggle("picked", i === index));
    },
  };
}

function addRow(list, index, onPick) {
  const part = (name, ...inner) => element("span", { class: `bar-${name}` }, ...inner);
  const [name, fill, value] = ["name", "fill", "value"].map((one) => part(one));
  const inner = [name, part("track", fill), value];
  const pick = { type: "button", class: "bar-pick", onclick: () => onPick?.(index) };
  const item = element("li", {}, ...(onPick ? [element("button", pick, ...inner)] : inner));
  list.append(item);
  return { item, name, fill, value };
}

function showRow(row, { label, probability }, greatest) {
  say(row.name, label);
  say(row.value, percent(probability));
  row.fill.style.transform = `scaleX(${probability})`;
  row.item.classList.toggle("greatest", greatest);
}
