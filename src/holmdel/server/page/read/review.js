/** The review: each line that a person should look at, one after the other, and what they said. */

import { button, download, element, say } from "../core/elements.js";
import { percent } from "../core/numbers.js";
import { t } from "../core/texts.js";
import { cropOf } from "./lines.js";

/** @import { Line } from "../types.d.ts" */

/** @typedef {{file: string, page: number, box: number[], read: string, truth: string}} Correction */

/** @type {Correction[]} */
const kept = []; // outlives the tab's visits

/**
 * Makes the queue of lines to look at.
 * @param {() => {lines: Line[], image: HTMLImageElement | null, file: string, page: number}} shown
 */
export function createReview(shown) {
  let at = 0;
  const about = element("p", { class: "muted small", id: "review-about" });
  const place = element("div", { class: "review-crop" });
  const input = element("input", { type: "text", id: "review-digits", class: "mono", "aria-label": t("read.review.digits"), autocomplete: "off", inputmode: "numeric" });
  const save = button(t("read.review.save"), { class: "small", id: "review-save", onclick: saveKept });
  const count = element("span", { class: "muted small", id: "review-count" });
  const keep = button(t("read.review.keep"), { type: "submit", class: "primary small", id: "review-keep" });
  const later = button(t("read.review.later"), { class: "small", id: "review-later", onclick: () => step() });
  const form = element("form", { class: "row", onsubmit: (event) => answer(event) }, input, keep, later);
  const node = element("section", { class: "review panel", id: "read-review", hidden: true, "aria-label": t("read.review") },
    element("div", { class: "head" }, element("h3", {}, t("read.review")), count, save), about, place, form);

  const queue = () => shown().lines.map((line, index) => ({ line, index })).filter(({ line }) => line.status === "reject");
  const show = () => {
    const waiting = queue();
    const now = waiting[at];
    say(count, t("read.review.count", { count: kept.length }));
    save.disabled = !kept.length;
    form.hidden = place.hidden = !now;
    say(about, now ? t("read.review.about", { number: at + 1, all: waiting.length, text: now.line.text, part: percent(now.line.confidence) }) : t(waiting.length ? "read.review.done" : "read.review.none"));
    if (!now) return;
    const { image } = shown();
    place.replaceChildren(...(image ? [cropOf(now.line, image)] : []));
    input.value = now.line.text;
    input.select();
  };
  const step = () => {
    at++;
    show();
    if (!form.hidden) input.focus();
  };
  const answer = (event) => {
    event.preventDefault();
    const { file, page } = shown();
    const now = queue()[at];
    const truth = input.value.trim();
    if (!now || !truth) return;
    kept.push({ file, page, box: now.line.box, read: now.line.text, truth });
    step();
  };
  return {
    node,
    /** Begins anew with the lines that are shown. */
    begin() {
      at = 0;
      show();
    },
  };
}

/** Gives what was kept as a file of tab-separated values. */
function saveKept() {
  const head = ["file", "page", "box", "read", "truth"];
  const rows = kept.map((one) => [one.file, one.page, one.box.join(" "), one.read, one.truth]);
  const text = [head, ...rows].map((row) => row.join("\t")).join("\n");
  download(new Blob([`${text}\n`], { type: "text/tab-separated-values" }), "corrections.tsv");
}
