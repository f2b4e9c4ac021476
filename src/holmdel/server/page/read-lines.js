/** The lines that were read, beside the pictures of them. */

import { percent } from "/page/texts.js";

const MARGIN = 0.12; // of a line's height, around its crop
const CROP = 128; // pixels of height that a crop is drawn with at most

/**
 * Draws the list of lines.
 * @param {HTMLElement} list an ol.
 * @param {object[]} lines of the API's answer.
 * @param {HTMLImageElement|null} image
 * @param {object} options
 * @param {(key: string, values?: object) => string} options.t
 * @param {(text: string) => void} options.onCopy
 */
export function showLines(list, lines, image, { t, onCopy }) {
  list.replaceChildren(
    ...lines.map((line, i) => {
      const item = element("li", `line ${line.status}`);
      item.id = `read-line-${i + 1}`;
      item.dataset.index = i;
      item.tabIndex = -1;
      item.append(words(line, i, t, onCopy));
      if (image) item.append(crop(line, image));
      item.append(digits(line, t));
      return item;
    }),
  );
}

/** Marks the line that is pointed at. */
export function lightLine(list, index) {
  [...list.children].forEach((item, i) => item.classList.toggle("lit", i === index));
}

/** @returns {number} the line in which a node lies; -1 for none. */
export function lineOf(node) {
  return Number(node.closest(".line")?.dataset.index ?? -1);
}

function crop({ box: [x, y, width, height] }, image) {
  const margin = Math.ceil(MARGIN * height);
  const left = Math.max(0, x - margin);
  const top = Math.max(0, y - margin);
  const wide = Math.min(image.naturalWidth, x + width + margin) - left;
  const high = Math.min(image.naturalHeight, y + height + margin) - top;
  const scale = Math.min(1, CROP / high);
  const canvas = element("canvas", "crop");
  canvas.width = Math.max(1, Math.round(wide * scale));
  canvas.height = Math.max(1, Math.round(high * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, left, top, wide, high, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

function words(line, index, t, onCopy) {
  const row = element("div", "line-words");
  const number = element("span", "line-number number", String(index + 1));
  const text = element("span", "line-text mono", line.text || t("read.nothing"));
  const badge = element("span", `badge ${line.status === "read" ? "good" : "bad"}`);
  badge.textContent = t(`read.status.${line.status}`);
  const sure = element("span", "line-sure number");
  sure.textContent = t("read.sure", { part: percent(line.confidence) });
  sure.title = t("read.confidence");
  const copy = element("button", "button small", t("read.copy"));
  copy.type = "button";
  copy.setAttribute("aria-label", t("read.copy_line", { text: line.text }));
  copy.addEventListener("click", () => onCopy(line.text));
  row.append(number, text, badge, sure, copy);
  if (line.raw && line.raw !== line.text) {
    row.append(element("span", "line-raw muted mono", t("read.raw", { raw: line.raw })));
  }
  return row;
}

function digits(line, t) {
  const list = element("ol", "digits");
  list.setAttribute("aria-label", t("read.digits"));
  list.append(
    ...line.digits.map(({ char, confidence }) => {
      const item = element("li", confidence < 0.9 ? "unsure" : "");
      item.append(element("b", "mono", char), element("small", "number", percent(confidence)));
      return item;
    }),
  );
  return list;
}

function element(name, className, text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}
