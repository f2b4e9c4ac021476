/** A window that slides over a map: the chosen unit goes from one to the next. */

import { button, element } from "../core/elements.js";
import { t } from "../core/texts.js";

/** @import { Slide, SlideOptions } from "../types.d.ts" */

const SPEEDS = [1, 2, 4, 8]; // units a second
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Makes the buttons that move the window. No animation where the system asks for little motion.
 * @param {SlideOptions} options
 * @returns {Slide}
 */
export function createSlide({ move, onPlay }) {
  let timer = 0;
  let playing = false;
  const speeds = SPEEDS.map((speed) => element("option", { value: speed }, t("unit.speed", { speed })));
  const speed = element("select", { id: "slide-speed", "aria-label": t("unit.speed-label") }, ...speeds);
  speed.value = String(SPEEDS[1]);
  const sign = (id, text, label, onclick) =>
    button(text, { id, class: "small icon-text", "aria-label": t(label), title: t(label), onclick });
  const play = sign("slide-play", "\u25b6", "unit.play", () => (playing ? stop() : start()));
  const step = (by) => {
    stop();
    move(by);
  };
  const back = sign("slide-back", "\u25c0\u2502", "unit.back", () => step(-1));
  const next = sign("slide-next", "\u2502\u25b6", "unit.next", () => step(1));
  const node = element("div", { class: "slide row", role: "group", "aria-label": t("unit.slide") }, back, play, next, speed);

  const show = () => {
    play.textContent = playing ? "\u275a\u275a" : "\u25b6";
    play.setAttribute("aria-label", t(playing ? "unit.pause" : "unit.play"));
    play.hidden = speed.hidden = still();
    onPlay(playing);
  };
  const tick = async () => {
    const began = performance.now();
    const more = await move(1);
    if (!playing) return;
    if (!more) return stop();
    const wait = Math.max(0, 1000 / Number(speed.value) - (performance.now() - began));
    timer = setTimeout(tick, wait);
  };
  const start = () => {
    playing = true;
    show();
    tick();
  };
  const stop = () => {
    clearTimeout(timer);
    if (!playing) return;
    playing = false;
    show();
  };
  show();
  return { node, stop, get playing() { return playing; } };
}

/**
 * @param {number[]} unit [map, row, column], or [unit] of a vector
 * @param {number[]} shape of its layer
 * @param {number} by 1 for the next, -1 for the one before
 * @returns {number[]} the unit after it in reading order; from the last it goes to the first.
 */
export function nextUnit(unit, shape, by) {
  if (unit.length === 1) return [(unit[0] + by + shape[0]) % shape[0]];
  const [, height, width] = shape;
  const at = (unit[1] * width + unit[2] + by + height * width) % (height * width);
  return [unit[0], Math.floor(at / width), at % width];
}
