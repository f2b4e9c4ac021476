/** The Read tab: strings of digits on an image. */

import { token } from "../core/api.js";
import { button, element } from "../core/elements.js";
import { createControls } from "./controls.js";
import { createInside } from "./inside.js";
import { lightLine, lineOf, pressInside, showLines } from "./lines.js";
import { curlCommand, optionsIn, Reading, stateOf } from "./model.js";
import { createImageView } from "./image.js";
import { createReview } from "./review.js";
import { sampleField } from "./sample.js";
import { t } from "../core/texts.js";
import { imageInput } from "../core/upload.js";

/** @import { App } from "../types.d.ts" */

const KEYS = ["read.pattern", "read.lines", "read.max_error"];
const reading = new Reading(); // outlives the tab's visits
let turn = 0; // of samples
let fresh = true; // no file was given yet: it begins with a sample

/**
 * Shows the tab.
 * @param {HTMLElement} root
 * @param {App} app
 * @returns {() => void} ends it.
 */
export function mount(root, app) {
  const { available, why } = app.models.reader;
  if (!available) {
    root.append(element("p", { class: "note", id: "read-why" }, why ?? t("read.absent")));
    return () => {};
  }
  const view = layOut(root);
  const light = (index) => reading.light(index);
  const picture = createImageView(view.stage, {
    onLight: light,
    onPick: (index) => /** @type {HTMLElement | undefined} */ (view.lines.children[index])?.focus(),
  });
  const change = (options) => app.state.set(stateOf(options));
  const controls = createControls(view.controls, change, (files) => {
    reading.takeBeside(files);
    again();
  });
  const showControls = () => {
    const options = optionsIn(app.state);
    controls.show(options, Object.values(reading.beside(options)).map((file) => file.name));
  };
  const again = () => {
    showControls();
    readAgain(app);
    showAnswer(shown);
  };
  const image = /** @type {HTMLImageElement | null} */ (null);
  const review = createReview(() => ({
    lines: reading.answer?.lines ?? [], image: shown.image, file: reading.picture?.name ?? "", page: reading.page + 1,
  }));
  const inside = createInside();
  const shown = { view, picture, app, image, review, inside };
  view.result.insertBefore(review.node, view.lines);
  const tried = async () => reading.takeAll([await sampleField(app, turn++)]);
  view.sample.addEventListener("click", () => tried().catch(app.fail));
  view.toReview.addEventListener("click", () => {
    review.node.hidden = !review.node.hidden;
    view.toReview.setAttribute("aria-pressed", String(!review.node.hidden));
    review.begin();
  });
  view.before.addEventListener("click", () => reading.go(-1));
  view.next.addEventListener("click", () => reading.go(1));
  const offs = [
    imageInput(view.give, {
      area: root,
      onImages: (files) => reading.takeAll(files),
      onError: app.fail,
    }),
    reading.on((what) => onReading(shown, what)),
    app.state.on(KEYS, again),
    app.theme.on(() => inside.repaint()),
    () => reading.stop(),
  ];
  view.lines.addEventListener("pointerover", (event) => light(lineOf(event.target)));
  view.lines.addEventListener("pointerleave", () => light(-1));
  view.lines.addEventListener("focusin", (event) => light(lineOf(event.target)));
  view.copy.addEventListener("click", () => copyText(app, allText()));
  view.copyCurl.addEventListener("click", () => copyText(app, view.curl.textContent));
  view.copyJson.addEventListener("click", () => copyText(app, view.json.textContent));
  showControls();
  if (reading.picture) onReading(shown, "picture");
  else if (fresh) begin(app).catch(() => {}); // without digits it begins empty
  fresh = false;
  return () => offs.forEach((off) => off());
}

/** Begins with a sample, unless a file was given while it was made. */
async function begin(app) {
  const field = await sampleField(app, turn++);
  if (!reading.picture) reading.takeAll([field]);
}

/** Shows what changed in the reading. */
async function onReading(shown, what) {
  const { view, picture } = shown;
  if (what === "lit") {
    picture.light(reading.lit);
    lightLine(view.lines, reading.lit);
    return;
  }
  if (what === "picture") await showFile(shown);
  if (what === "page") await showPage(shown);
  showAnswer(shown);
  shown.review.begin();
}

/** Shows the file, or its first page where the browser cannot show such files. */
async function showFile(shown) {
  const { view, picture, app } = shown;
  if (!reading.picture) return;
  const { url, name } = reading.picture;
  view.empty.hidden = true;
  view.result.hidden = false;
  picture.boxes([]);
  const loading = picture.load(url, name);
  readAgain(app); // while the browser decodes it
  const image = await loading;
  if (url !== reading.picture?.url) return; // another was given meanwhile
  shown.image = image;
  view.unseen.hidden = true;
  if (!image) await showPage(shown);
}

/** Shows a page of a file as the server draws it. */
async function showPage(shown) {
  const { view, picture, app } = shown;
  if (!reading.picture) return;
  const { blob, name, url } = reading.picture;
  const { page } = reading;
  const turned = () => url !== reading.picture?.url || page !== reading.page;
  picture.boxes([]);
  const drawn = await app.api.imageOf("/v1/page", { page: page + 1 }, blob).catch(() => null);
  if (turned()) return; // to another page, or file, meanwhile
  const place = drawn && URL.createObjectURL(drawn);
  const image = place && (await picture.load(place, name));
  if (place) URL.revokeObjectURL(place);
  if (turned()) return; // while the browser decoded it
  shown.image = image;
  view.unseen.hidden = shown.image !== null;
}

function readAgain(app) {
  const options = optionsIn(app.state);
  if (!reading.picture || reading.answers(options)) return;
  if (reading.missing(options).length) return reading.stop();
  reading.read(app.api, options).then(() => app.fail(null), app.fail);
}

function showAnswer(shown) {
  const { view, picture, app, image, review } = shown;
  const { answer, busy } = reading;
  view.before.disabled = !reading.can(-1);
  view.next.disabled = !reading.can(1);
  view.turn.hidden = reading.files.length < 2 && reading.pages.length < 2;
  view.where.textContent = whereText();
  view.toReview.hidden = review.node.hidden && !answer?.lines.some((line) => line.status === "reject");
  const lines = answer?.lines ?? [];
  view.result.setAttribute("aria-busy", String(busy));
  view.summary.textContent = summary(app);
  view.copy.hidden = view.raw.hidden = !answer;
  view.copy.disabled = !lines.length;
  view.blank.textContent = blankText(answer);
  showLines(view.lines, lines, image, {
    onCopy: (text) => copyText(app, text),
    onInside: (index) => showInside(shown, index),
  });
  showInside(shown, lines.length === 1 ? 0 : -1);
  if (image) picture.boxes(lines);
  const { options } = reading;
  if (!answer || !options || !reading.picture) return;
  const { name } = reading.picture;
  view.curl.textContent = curlCommand(name, options, location.origin, Boolean(token()), reading.beside(options));
  view.json.textContent = spelled(answer);
  app.announce(view.summary.textContent);
}

/** Shows how a line of the page was read; -1 shows none. */
async function showInside({ view, app, inside }, index) {
  const { answer } = reading;
  pressInside(view.lines, index);
  const asked = answer && index >= 0 ? reading.inside(app.api) : null;
  if (!asked) return inside.node.remove();
  const found = await asked.catch((error) => error.name === "AbortError" || app.fail(error));
  if (found?.lines?.[index] && answer === reading.answer) {
    view.lines.children[index].append(inside.node); // first: its colours are the page's
    inside.show(found.lines[index], found.pictures, index + 1);
  }
}

/** Which file and which page of how many is shown. */
function whereText() {
  const { files, at, pages, page, picture } = reading;
  const parts = [picture?.name ?? ""];
  if (files.length > 1) parts.push(t("read.file", { number: at + 1, all: files.length }));
  if (pages.length > 1) parts.push(t("read.page", { number: page + 1, all: pages.length }));
  return parts.join(" \u00b7 ");
}

function summary(app) {
  const options = optionsIn(app.state);
  if (reading.missing(options).length) return t(`read.files.${options.pattern}`);
  if (reading.busy) return t("read.busy");
  if (!reading.answer) return "";
  if (reading.answer.error) return reading.answer.error;
  const { lines } = reading.answer;
  const rejected = lines.filter((line) => line.status === "reject").length;
  const values = { count: lines.length, rejected, seconds: reading.seconds.toFixed(2) };
  if (!lines.length) return t("read.none", values);
  return t(lines.length === 1 ? "read.one" : "read.many", values);
}

/** Names the fields of a template in which nothing was found. */
function blankText(answer) {
  const names = (answer?.skipped ?? []).map((part) => part.field).filter(Boolean);
  return names.length ? t("read.blank", { names: names.join(", ") }) : "";
}

function allText() {
  return (reading.answer?.lines ?? []).map((line) => (line.field ? `${line.field}\t${line.text}` : line.text)).join("\n");
}

/** Returns JSON with a box on one line. */
function spelled(answer) {
  const text = JSON.stringify(answer, null, 2);
  return text.replace(/\[\s+(\d[\d,\s]*?)\s+\]/g, (_, box) => `[${box.replace(/\s+/g, " ")}]`);
}

async function copyText(app, text) {
  try {
    await navigator.clipboard.writeText(text);
    app.announce(t("read.copied"));
  } catch {
    app.fail(new Error(t("read.copy_refused")));
  }
}

/** Makes the nodes of the tab. */
function layOut(root) {
  const part = (name, kind, ...inner) => element(name, { class: kind }, ...inner);
  const give = part("div", "row give");
  const controls = part("div", "row controls");
  const empty = element(
    "div",
    { class: "empty", id: "read-empty" },
    element("h1", {}, t("read.title")),
    element("p", {}, t("read.invite")),
    element("p", { class: "muted" }, t("read.private")),
  );
  const sample = button(t("read.sample"), { id: "read-sample" });
  const before = button("\u2039", { class: "small", id: "read-before", "aria-label": t("read.before"), title: t("read.before") });
  const next = button("\u203a", { class: "small", id: "read-next", "aria-label": t("read.next"), title: t("read.next") });
  const where = element("span", { class: "muted small", id: "read-where" });
  const turn = element("div", { class: "row turn", hidden: true }, before, where, next);
  const toReview = button(t("read.review"), { class: "small", id: "read-to-review", "aria-pressed": "false", hidden: true });
  const unseen = element("p", { class: "note", hidden: true }, t("read.unseen"));
  const stage = element("div", { class: "stage", id: "read-stage" }, turn, empty, unseen);
  const summary = element("h2", { id: "read-summary" });
  const copy = button(t("read.copy_all"), { class: "small", id: "read-copy" });
  const lines = element("ol", { class: "lines", id: "read-lines-found" });
  const blank = element("p", { class: "muted small", id: "read-blank" });
  const raw = element("details", { id: "read-raw" }, element("summary", {}, t("read.json")));
  const codes = rawParts(raw);
  const result = element(
    "section",
    { class: "result", id: "read-result", hidden: true },
    part("div", "head", summary, part("span", "row", toReview, copy)),
    lines,
    blank,
    raw,
  );
  root.append(part("div", "row bar", part("div", "row give-more", give, sample), controls), part("div", "body", stage, result));
  return { sample, before, next, where, turn, toReview, give, controls, empty, unseen, stage, result, summary, copy, lines, blank, raw, ...codes };
}

function rawParts(root) {
  const part = (id, text) => {
    const code = element("pre", { id, tabindex: 0 });
    const copy = button(t("read.copy"), { class: "small" });
    root.append(element("div", { class: "head" }, element("h3", {}, text), copy), code);
    return [code, copy];
  };
  const [curl, copyCurl] = part("read-curl", t("read.curl"));
  const [json, copyJson] = part("read-json", t("read.answer"));
  return { curl, copyCurl, json, copyJson };
}
