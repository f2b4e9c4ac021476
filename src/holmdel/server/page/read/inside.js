/** How a line was read: its picture, what the network said of it step by step, what else it may be. */

import { decode } from "../core/base64.js";
import { createBars } from "../core/bars.js";
import { context2d, element, say } from "../core/elements.js";
import { drawMap } from "../core/maps.js";
import { percent } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { loudest, saidAt, shades, spanOf, stepAt } from "./look.js";

/** @import { InsideAnswer, InsideLine } from "../types.d.ts" */

const HEIGHT = 32; // pixels of a line as the network sees it
const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };
const NOTHING = "\u2013"; // the row of what is said where nothing is written

/** Makes the place where it is shown how a line was read. */
export function createInside() {
  const title = element("h3", { id: "inside-title" });
  const about = element("p", { class: "muted small" }, t("read.inside.about"));
  const seen = element("canvas", { class: "inside-seen", "aria-hidden": "true" });
  const spans = element("div", { class: "inside-spans", "aria-hidden": "true" });
  const said = element("canvas", { class: "inside-said", "aria-hidden": "true" });
  const mark = element("div", { class: "inside-mark", "aria-hidden": "true" });
  const names = element("div", { class: "inside-names mono", "aria-hidden": "true" });
  const strip = element("div", { class: "inside-strip", id: "inside-strip", tabindex: 0, role: "slider", "aria-label": t("read.inside.step") }, seen, spans, said, mark);
  const now = element("p", { class: "inside-now small", id: "inside-now" });
  const texts = element("div", { id: "inside-texts" });
  const bars = createBars(texts);
  const cells = element("p", { class: "small" });
  const views = element("p", { class: "muted small" });
  const pictures = element("div", { class: "inside-pictures" });
  const steps = element("details", { id: "inside-steps", hidden: true }, element("summary", {}, t("read.inside.pictures")), pictures);
  const read = element("div", { class: "inside-read" }, names, strip);
  const other = element("div", { class: "inside-other" }, element("h4", { class: "small" }, t("read.inside.texts")), texts, cells, views);
  const node = element("section", { class: "inside", id: "read-inside", "aria-labelledby": "inside-title" },
    title, about, element("div", { class: "inside-both" }, read, other), now, steps);
  /** @type {InsideLine | null} */
  let line = null;
  let step = 0;

  const point = (at) => {
    if (!line) return;
    step = at;
    const { left, wide } = spanOf(line, at, at);
    Object.assign(mark.style, { left: `${100 * left}%`, width: `${100 * wide}%` });
    const told = saidAt(line, at).map(({ label, probability }) => `${label || t("read.inside.nothing")} ${percent(probability)}`);
    const text = t("read.inside.now", { step: at, first: 2 * at, last: 2 * at + 1, said: told.join(", ") });
    say(now, text);
    strip.setAttribute("aria-valuenow", String(at));
    strip.setAttribute("aria-valuetext", text);
  };
  strip.addEventListener("pointermove", (event) => {
    const box = strip.getBoundingClientRect();
    if (line) point(stepAt(line, (event.clientX - box.left) / box.width));
  });
  strip.addEventListener("keydown", (event) => {
    const by = KEYS[event.key];
    if (!line || !by) return;
    event.preventDefault();
    point(Math.min(Math.max(step + by, 0), line.steps.length - 1));
  });

  return {
    node,
    /** In the colours of the page, which may have become others. */
    repaint() {
      if (line) drawSaid(said, line);
    },
    /** @param {InsideLine} shown @param {InsideAnswer["pictures"]} drawn of its page @param {number} number from 1 */
    show(shown, drawn, number) {
      line = shown;
      say(title, t("read.inside.title", { number, text: shown.text }));
      drawMap(seen, decode(shown.picture), shown.width, HEIGHT);
      names.replaceChildren(...shown.characters.map((character) => element("span", {}, character || NOTHING)));
      this.repaint();
      said.style.width = `${100 * spanOf(shown, 0, shown.steps.length - 1).wide}%`;
      node.style.setProperty("--rows", String(shown.characters.length));
      node.style.setProperty("--columns", String(shown.width));
      spans.replaceChildren(...shown.digits.map((digit) => spanNode(shown, digit)));
      bars.update(shown.texts.map(({ text, probability }) => ({ label: text, probability })));
      say(views, t(shown.views === 1 ? "read.inside.view" : "read.inside.views", { count: shown.views }));
      cells.hidden = shown.texts[0]?.text === shown.text;
      say(cells, t("read.inside.cells", { text: shown.text }));
      strip.setAttribute("aria-valuemin", "0");
      strip.setAttribute("aria-valuemax", String(shown.steps.length - 1));
      point(shown.digits.length ? loudest(shown, shown.digits[0]) : 0);
      showPictures(steps, pictures, drawn);
    },
  };
}

function spanNode(line, { char, first, last }) {
  const { left, wide } = spanOf(line, first, last);
  const node = element("span", { class: "mono" }, char);
  Object.assign(node.style, { left: `${100 * left}%`, width: `${100 * wide}%` });
  return node;
}

/** Draws a row a character and a column a step, in the page's accent. */
function drawSaid(canvas, line) {
  const [across, down] = [line.steps.length, line.characters.length];
  Object.assign(canvas, { width: across, height: down });
  const context = context2d(canvas, { willReadFrequently: true });
  const image = context.createImageData(across, down);
  context.fillStyle = getComputedStyle(canvas).color;
  context.fillRect(0, 0, 1, 1);
  const colour = context.getImageData(0, 0, 1, 1).data;
  shades(line).forEach((shade, at) => image.data.set([colour[0], colour[1], colour[2], shade], 4 * at));
  context.putImageData(image, 0, 0);
}

function showPictures(details, place, pictures) {
  details.hidden = !pictures.length;
  place.replaceChildren(
    ...pictures.map(({ name, picture }) => {
      const caption = t(`read.inside.picture.${name}`);
      return element("figure", {}, element("img", { src: picture, alt: caption, loading: "lazy" }), element("figcaption", { class: "small" }, caption));
    }),
  );
}
