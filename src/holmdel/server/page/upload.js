/** Pictures from the user: a file, a drop, the clipboard, the camera. */

/**
 * Makes the ways in which a user gives a picture.
 * @param {HTMLElement} root where the buttons go.
 * @param {object} options
 * @param {(key: string) => string} options.t
 * @param {HTMLElement} options.area where a picture can be dropped; it has the class `dropping`
 *   while one hangs over it.
 * @param {(blob: Blob, name: string) => void} options.onPicture gets every picture.
 * @param {(error: Error) => void} options.onError gets what is wrong with what was given.
 * @returns {() => void} ends it and takes the buttons away.
 */
export function pictureInput(root, { t, area, onPicture, onError }) {
  const take = (files) => {
    const file = files.find((f) => f.type.startsWith("image/")) ?? files[0];
    if (file) onPicture(file, file.name || "picture.png");
    else onError(new Error(t("upload.none")));
  };
  const choose = fileButton("choose-picture", t("upload.choose"), take);
  const photo = fileButton("take-photo", t("upload.photo"), take);
  photo.classList.add("only-touch"); // elsewhere it would be the same as the other
  photo.querySelector("input").capture = "environment";
  root.append(choose, photo);
  const offs = [onDrop(area, take), onPaste(take)];
  return () => {
    offs.forEach((off) => off());
    choose.remove();
    photo.remove();
  };
}

function fileButton(id, text, take) {
  const label = document.createElement("label");
  label.className = "button";
  const input = document.createElement("input");
  Object.assign(input, { type: "file", accept: "image/*", id, className: "sr-only" });
  input.addEventListener("change", () => {
    if (input.files.length) take([...input.files]);
    input.value = ""; // so that the same file can be given again
  });
  label.append(input, text);
  return label;
}

function onDrop(area, take) {
  const over = (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    area.classList.add("dropping");
  };
  const leave = (event) => {
    if (!area.contains(event.relatedTarget)) area.classList.remove("dropping");
  };
  const drop = (event) => {
    event.preventDefault();
    area.classList.remove("dropping");
    take([...event.dataTransfer.files]);
  };
  const listeners = { dragover: over, dragleave: leave, drop };
  for (const [kind, listener] of Object.entries(listeners)) area.addEventListener(kind, listener);
  return () => {
    for (const [kind, listener] of Object.entries(listeners)) {
      area.removeEventListener(kind, listener);
    }
  };
}

function onPaste(take) {
  const paste = (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return; // text, for the field it is pasted into
    event.preventDefault();
    take(files);
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
