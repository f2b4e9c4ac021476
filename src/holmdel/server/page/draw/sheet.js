/** The sheet that is drawn on: mouse, finger, pen, and the keys. */

import { INK, drawStrokes } from "./raster.js";
import { context2d, element, say } from "../core/elements.js";
import { SIZE } from "./strokes.js";
import { t } from "../core/texts.js";

/** @import { Sheet, SheetOptions } from "../types.d.ts" */


const SIDE = 280; // CSS pixels; the canvas has as many for each as the screen
const STEP = SIZE / 32; // of the keys' pen
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Makes the sheet.
 * @param {SheetOptions} options
 * @returns {Sheet}
 */
export function createSheet({ source, onDraw, onDone }) {
  const named = { "aria-label": t("draw.sheet"), "aria-describedby": "sheet-help" };
  const reached = { id: "sheet", class: "sheet", tabindex: "0", role: "application" };
  const canvas = element("canvas", { ...reached, ...named });
  const hint = element("p", { class: "sheet-hint", "aria-hidden": "true" });
  const pen = element("span", { class: "sheet-pen", hidden: true });
  const help = element("span", { id: "sheet-help", class: "sr-only" }, t("draw.sheet-help"));
  const node = element("div", { class: "sheet-box" }, canvas, hint, pen, help);
  const side = Math.round(SIDE * Math.min(3, Math.max(1, devicePixelRatio)));
  canvas.width = canvas.height = side;
  const context = context2d(canvas);
  /** @type {{bitmap: ImageBitmap, inverted: boolean} | null} */
  let image = null;

  const paint = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, side, side);
    if (source.kind === "drawing")
      drawStrokes(context, source.drawing.strokes, side, source.thickness);
    else if (image) drawImage(context, image, side);
    if (hint.hidden === source.empty) hint.hidden = !source.empty;
  };
  const changed = (event) => {
    paint();
    onDraw(event.timeStamp);
  };
  listenToPointers(canvas, source, changed, onDone);
  listenToKeys(canvas, pen, source, changed, onDone);
  return {
    node,
    paint,
    invite: (text) => say(hint, text),
    show(wanted) {
      image?.bitmap.close();
      image = wanted;
      paint();
    },
  };
}

/** Draws a picture as large as fits, its pixels sharp where they are few. */
function drawImage(context, { bitmap, inverted }, side) {
  const scale = side / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingEnabled = scale < 1;
  context.filter = inverted ? "invert(1)" : "none";
  context.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height);
  context.filter = "none";
}

function listenToPointers(canvas, source, changed, onDone) {
  /** @type {number | null} */
  let drawing = null;
  let box = new DOMRect(); // measured once a stroke: the page does not move while one draws
  const point = ({ clientX, clientY }) => [
    ((clientX - box.left) / box.width) * SIZE,
    ((clientY - box.top) / box.height) * SIZE,
  ];
  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true, focusVisible: false });
    drawing = event.pointerId;
    box = canvas.getBoundingClientRect();
    canvas.setPointerCapture(drawing);
    source.draw();
    source.drawing.begin(...point(event));
    changed(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const all = event.getCoalescedEvents?.() ?? [];
    const moved = (all.length ? all : [event]).filter((one) =>
      source.drawing.extend(...point(one)),
    );
    if (moved.length) changed(event);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => {
      if (event.pointerId !== drawing) return;
      drawing = null;
      onDone();
    });
  }
}

function listenToKeys(canvas, pen, source, changed, onDone) {
  let [x, y, down] = [SIZE / 2, SIZE / 2, false];
  const show = () => {
    pen.hidden = false;
    pen.style.left = `${(100 * x) / SIZE}%`;
    pen.style.top = `${(100 * y) / SIZE}%`;
    pen.classList.toggle("down", down);
    pen.style.borderColor = down ? INK : "";
  };
  const lift = () => {
    if (down) onDone();
    down = false;
  };
  canvas.addEventListener("blur", () => {
    lift();
    pen.hidden = true;
  });
  canvas.addEventListener("pointerdown", () => {
    lift();
    pen.hidden = true;
  });
  canvas.addEventListener("keydown", (event) => {
    const way = KEYS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (!way && event.key !== " ")) return;
    event.preventDefault();
    if (event.key === " " && !down) {
      source.draw();
      source.drawing.begin(x, y);
      down = true;
      changed(event);
    } else if (event.key === " ") lift();
    else {
      const step = event.shiftKey ? STEP / 4 : STEP;
      x = Math.min(SIZE - 1, Math.max(0, x + way[0] * step));
      y = Math.min(SIZE - 1, Math.max(0, y + way[1] * step));
      if (down && source.drawing.extend(x, y)) changed(event);
    }
    show();
  });
}
