/** The lines that were read, each with its part of the image. */

import { button, context2d, element } from "../core/elements.js";
import { percent } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { worth } from "./model.js";

/** @import { Line } from "../types.d.ts" */

const MARGIN = 0.12; // of a line's height, around its crop
const CROP = 128; // pixels of height that a crop is drawn with at most

/**
 * Draws the list of lines.
 * @param {HTMLElement} list an ol.
 * @param {Line[]} lines
 * @param {HTMLImageElement|null} image
 * @param {{onCopy: (text: string) => void, onInside: (index: number) => void}} options
 */
export function showLines(list, lines, image, { onCopy, onInside }) {
  list.replaceChildren(
    ...lines.map((line, i) => {
      const given = { "data-index": i, class: `row line ${line.status}`, tabindex: -1 };
      const parts = [words(line, i, onCopy, onInside), ...(image ? [cropOf(line, image)] : []), digits(line)];
      return element("li", { id: `read-line-${i + 1}`, ...given }, ...parts);
    }),
  );
}

/** Marks the line that is pointed at. */
export function lightLine(list, index) {
  [...list.children].forEach((item, i) => item.classList.toggle("lit", i === index));
}

/** Marks the line of which it is shown how it was read; -1 for none. */
export function pressInside(list, index) {
  const buttons = list.querySelectorAll(".line-inside");
  buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === index)));
}

/** @returns {number} the line in which a node lies; -1 for none. */
export function lineOf(node) {
  return Number(node.closest(".line")?.dataset.index ?? -1);
}

/** @param {Line} line @param {HTMLImageElement} image @returns {HTMLCanvasElement} the line's part of the image. */
export function cropOf(line, image) {
  const [x, y, across, down] = line.box;
  const margin = Math.ceil(MARGIN * down);
  const left = Math.max(0, x - margin);
  const top = Math.max(0, y - margin);
  const wide = Math.min(image.naturalWidth, x + across + margin) - left;
  const high = Math.min(image.naturalHeight, y + down + margin) - top;
  const scale = Math.min(1, CROP / high);
  const [width, height] = [wide, high].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = element("canvas", { class: "crop", width, height, "aria-hidden": "true" });
  const context = context2d(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, left, top, wide, high, 0, 0, width, height);
  return canvas;
}

function words(line, index, onCopy, onInside) {
  const { text, raw, status, confidence, field } = line;
  const value = worth(line.value, t("read.or"));
  const part = (kind, words, given) => element("span", { class: kind, ...given }, words);
  const copy = button(t("read.copy"), {
    class: "small",
    "aria-label": t("read.copy_line", { text }),
    onclick: () => onCopy(text),
  });
  const inside = button(t("read.inside"), {
    class: "small line-inside",
    "aria-label": t("read.inside.of", { text }),
    "aria-pressed": "false",
    onclick: () => onInside(index),
  });
  const parts = [
    part("line-number number", String(index + 1)),
    ...(field ? [part("line-field", field)] : []),
    part("line-text mono", text || t("read.nothing")),
    ...(value && value !== text ? [part("line-value mono", `= ${value}`, { title: t("read.value") })] : []),
    part(`badge ${status === "read" ? "good" : "bad"}`, t(`read.status.${status}`)),
    part("line-sure number", t("read.sure", { part: percent(confidence) }), {
      title: t("read.confidence"),
    }),
    inside,
    copy,
  ];
  if (raw && raw !== text) parts.push(part("line-raw muted mono", t("read.raw", { raw })));
  if (line.value?.decimal === false) parts.push(part("line-raw muted small", t("read.whole")));
  return element("div", { class: "row line-words" }, ...parts);
}

function digits(line) {
  const items = line.digits.map(({ char, confidence }) => {
    const digit = element("b", { class: "mono" }, char);
    const sure = element("small", { class: "number" }, percent(confidence));
    return element("li", { class: confidence < 0.9 && "unsure" }, digit, sure);
  });
  return element("ol", { class: "digits", "aria-label": t("read.digits") }, ...items);
}
