/** Probabilities as labelled bars. */

import { percent } from "/page/texts.js";

/**
 * Makes a list of bars.
 * @param {HTMLElement} root where it goes.
 * @param {{label?: string}} options what the list is called.
 * @returns {{update: (items: {label: string, probability: number}[]) => void}} update shows other
 *   probabilities in the bars that are there, in the order given; the greatest is marked.
 */
export function createBars(root, { label = "" } = {}) {
  const list = document.createElement("ol");
  list.className = "bars";
  if (label) list.setAttribute("aria-label", label);
  root.append(list);
  const rows = [];
  return {
    update(items) {
      while (rows.length < items.length) rows.push(addRow(list));
      while (rows.length > items.length) rows.pop().item.remove();
      const greatest = Math.max(Number.MIN_VALUE, ...items.map((item) => item.probability));
      items.forEach((item, i) => showRow(rows[i], item, item.probability === greatest));
    },
  };
}

function addRow(list) {
  const item = document.createElement("li");
  const [name, track, value] = ["name", "track", "value"].map((part) => {
    const span = document.createElement("span");
    span.className = `bar-${part}`;
    return span;
  });
  const fill = document.createElement("span");
  fill.className = "bar-fill";
  track.append(fill);
  item.append(name, track, value);
  list.append(item);
  return { item, name, fill, value };
}

function showRow(row, { label, probability }, greatest) {
  if (row.name.textContent !== label) row.name.textContent = label;
  row.value.textContent = percent(probability);
  row.fill.style.transform = `scaleX(${probability})`;
  row.item.classList.toggle("greatest", greatest);
}
