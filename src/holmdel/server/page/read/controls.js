/** The controls of the Read tab. */

import { check, element, field, say } from "../core/elements.js";
import { FILES, HAVE_OWN, KINDS, partsOf, patternOf } from "./model.js";
import { t } from "../core/texts.js";

/** @import { ReadOptions } from "../types.d.ts" */

/**
 * Makes the controls of how a picture is read.
 * @param {(options: ReadOptions) => void} onChange
 * @param {(files: File[]) => void} onFiles gets a template and its reference, or a list.
 * @returns {{show: (options: ReadOptions, names: string[]) => void}} show puts values into the controls.
 */
export function createControls(root, onChange, onFiles) {
  const kinds = KINDS.map((name) => new Option(t(`read.kind.${name}`), name));
  const kind = element("select", { id: "read-kind" }, ...kinds);
  const own = input("read-own", { type: "text", autocomplete: "off", spellcheck: "false" });
  const lines = input("read-lines", { type: "checkbox" });
  const error = input("read-max-error", { type: "number", min: 0, max: 100, step: "any" });
  const ownField = field("", own);
  const given = element("span", { class: "muted small", id: "read-given" });
  const files = filesButton(onFiles, given);
  const changed = (text) =>
    onChange({
      pattern: patternOf(kind.value, text),
      lines: lines.checked,
      maxError: partOf(error.value),
    });
  kind.addEventListener("change", () => changed(""));
  for (const one of [own, lines, error]) {
    one.addEventListener("change", () => changed(own.value.trim()));
  }
  const allowed = field(t("read.max_error"), error);
  const single = check(t("read.lines"), lines);
  root.append(field(t("read.pattern"), kind), ownField, files, allowed, single);
  return {
    show({ pattern, lines: isLine, maxError }, names) {
      const parts = partsOf(pattern);
      files.hidden = !(parts.kind in FILES);
      single.hidden = parts.kind === "template";
      say(given, names.join(", "));
      kind.value = parts.kind;
      own.value = parts.own;
      ownField.hidden = !HAVE_OWN.includes(parts.kind);
      if (!ownField.hidden && ownField.firstChild) say(ownField.firstChild, t(`read.own.${parts.kind}`));
      lines.checked = isLine;
      error.value = String(Number((100 * maxError).toFixed(4)));
    },
  };
}

/** Takes the files that a kind hangs on. */
function filesButton(onFiles, given) {
  const onchange = ({ target }) => {
    onFiles([...target.files]);
    target.value = "";
  };
  const all = { type: "file", multiple: true, id: "read-beside", class: "sr-only", accept: ".toml,.txt,.csv,image/png", onchange };
  const label = element("label", { class: "button" }, element("input", all), t("read.files"));
  return element("div", { class: "row files" }, label, given);
}

function input(id, given) {
  return element("input", { id, ...given });
}

function partOf(text) {
  const percent = Math.min(100, Math.max(0, Number.parseFloat(text) || 0));
  return Number((percent / 100).toFixed(6));
}
