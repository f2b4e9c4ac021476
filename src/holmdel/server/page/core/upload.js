/** Images from the user: a file, a drop, the clipboard, the camera. */

import { element } from "./elements.js";
import { t } from "./texts.js";

/** @import { ImageInputOptions } from "../types.d.ts" */

/**
 * Makes the buttons by which a user gives an image.
 * @param {HTMLElement} root gets the buttons.
 * @param {ImageInputOptions} options
 * @returns {() => void} ends it.
 */
export function imageInput(root, { area, onImage, onImages, onError }) {
  const take = (files) => {
    const file = files.find((f) => f.type.startsWith("image/")) ?? files[0];
    if (!file) onError(new Error(t("upload.none")));
    else if (onImages) onImages(files.map((one) => ({ blob: one, name: one.name || "picture.png" })));
    else onImage?.(file, file.name || "picture.png");
  };
  const choose = fileButton("choose-picture", t("upload.choose"), take);
  const photo = fileButton("take-photo", t("upload.photo"), take);
  photo.classList.add("only-touch"); // elsewhere it would be the same as the other
  photo.querySelector("input")?.setAttribute("capture", "environment");
  if (onImages) {
    const input = choose.querySelector("input");
    input?.setAttribute("multiple", "");
    input?.setAttribute("accept", "image/*,.pdf,.tif,.tiff");
  }
  root.append(choose, photo);
  const control = new AbortController();
  onDrop(area, take, control.signal);
  onPaste(take, control.signal);
  return () => control.abort();
}

function fileButton(id, text, take) {
  const onchange = ({ target }) => {
    if (target.files.length) take([...target.files]);
    target.value = ""; // so that the same file can be given again
  };
  const given = { type: "file", accept: "image/*", id, class: "sr-only", onchange };
  return element("label", { class: "button" }, element("input", given), text);
}

function onDrop(area, take, signal) {
  const on = (kind, listener) => area.addEventListener(kind, listener, { signal });
  on("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    area.classList.add("dropping");
  });
  on("dragleave", (event) => {
    if (!area.contains(event.relatedTarget)) area.classList.remove("dropping");
  });
  on("drop", (event) => {
    event.preventDefault();
    area.classList.remove("dropping");
    take([...event.dataTransfer.files]);
  });
}

function onPaste(take, signal) {
  const paste = (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return; // text, for the field it is pasted into
    event.preventDefault();
    take(files);
  };
  document.addEventListener("paste", paste, { signal });
}
