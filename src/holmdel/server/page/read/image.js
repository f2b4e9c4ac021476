/** The image of the Read tab, with a box over every line. */

import { element } from "../core/elements.js";
import { percent } from "../core/numbers.js";
import { t } from "../core/texts.js";

/** @import { ImageView, Line } from "../types.d.ts" */

const ENLARGED = 3; // times, at most; small pictures would be mush
const KEYS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/**
 * Makes the place of the picture.
 * @param {HTMLElement} root
 * @param {{onLight: (index: number) => void, onPick: (index: number) => void}} callbacks the line
 *   that is pointed at, -1 for none; the line that was clicked.
 * @returns {ImageView}
 */
export function createImageView(root, { onLight, onPick }) {
  const image = element("img");
  const named = { class: "boxes", role: "group", "aria-label": t("read.boxes") };
  const overlay = element("div", named);
  const frame = element("div", { class: "sheet" }, image, overlay);
  root.append(frame);
  /** @type {Line[]} */
  let lines = [];
  listen(overlay, onLight, onPick);

  return {
    async load(url, name) {
      image.alt = name;
      image.src = url;
      const seen = await image.decode().then(() => true, () => false);
      if (image.src !== url) return null; // another is shown by now
      frame.hidden = !seen;
      if (!seen) return null;
      const { naturalWidth: width, naturalHeight: height } = image;
      const most = `${ENLARGED * width}px`;
      frame.style.width = `min(100%, ${most}, ${(70 * width) / height}vh)`;
      frame.style.aspectRatio = `${width} / ${height}`;
      return image;
    },
    boxes(found) {
      lines = found;
      overlay.replaceChildren(...lines.map((line, i) => lineBox(line, i, image)));
    },
    light(index) {
      boxesIn(overlay).forEach((box, i) => {
        box.classList.toggle("lit", i === index);
        box.tabIndex = i === Math.max(0, index) ? 0 : -1; // one stop of the Tab key for all
      });
      overlay.querySelectorAll(".digit-box").forEach((box) => box.remove());
      for (const { box } of lines[index]?.digits ?? []) {
        overlay.append(place(element("span", { class: "digit-box" }), box, image));
      }
    },
  };
}

/** @returns {NodeListOf<HTMLElement>} */
function boxesIn(overlay) {
  return overlay.querySelectorAll(".box");
}

function listen(overlay, onLight, onPick) {
  overlay.addEventListener("pointerover", (event) => onLight(indexOf(event.target)));
  overlay.addEventListener("pointerleave", () => onLight(-1));
  overlay.addEventListener("focusin", (event) => onLight(indexOf(event.target)));
  overlay.addEventListener("focusout", () => onLight(-1));
  overlay.addEventListener("click", (event) => onPick(indexOf(event.target)));
  overlay.addEventListener("keydown", (event) => {
    const to = boxesIn(overlay)[indexOf(event.target) + KEYS[event.key]];
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
}

function lineBox(line, index, image) {
  const said = { number: index + 1, text: [line.field, line.raw ?? line.text].filter(Boolean).join(" "), part: percent(line.confidence) };
  const tag = element("span", { class: "tag" }, `${said.text} ${said.part}`);
  tag.classList.toggle("below", line.box[1] < 0.12 * image.naturalHeight);
  tag.classList.toggle("leftward", line.box[0] > 0.6 * image.naturalWidth);
  const given = {
    type: "button",
    class: `box ${line.status}`,
    tabindex: index ? -1 : 0,
    "data-index": index,
    "aria-label": t(`read.box.${line.status}`, said),
  };
  return place(element("button", given, tag), line.box, image);
}

/** @param {HTMLElement} node @param {number[]} box @param {HTMLImageElement} image */
function place(node, [x, y, width, height], image) {
  const across = (pixels) => `${(100 * pixels) / image.naturalWidth}%`;
  const down = (pixels) => `${(100 * pixels) / image.naturalHeight}%`;
  const style = { left: across(x), top: down(y), width: across(width), height: down(height) };
  Object.assign(node.style, style);
  return node;
}

function indexOf(target) {
  return Number(target.closest(".box")?.dataset.index ?? -1);
}
