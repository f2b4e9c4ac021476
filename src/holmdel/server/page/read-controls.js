/** The controls of the Read tab. */

import { KINDS, partsOf, patternOf } from "/page/read-model.js";

/**
 * Makes the controls of how a picture is read.
 * @param {HTMLElement} root where they go.
 * @param {(key: string) => string} t
 * @param {(options: {pattern: string, lines: boolean, maxError: number}) => void} onChange
 * @returns {{show: (options: object) => void}} show puts values into the controls.
 */
export function createControls(root, t, onChange) {
  const kind = document.createElement("select");
  kind.id = "read-kind";
  kind.append(...KINDS.map((name) => new Option(t(`read.kind.${name}`), name)));
  const own = input("read-own", { type: "text", autocomplete: "off", spellcheck: false });
  const lines = input("read-lines", { type: "checkbox" });
  const error = input("read-max-error", { type: "number", min: 0, max: 100, step: "any" });
  const ownField = field("", own);
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
  root.append(field(t("read.pattern"), kind), ownField, field(t("read.max_error"), error));
  root.append(check(t("read.lines"), lines));
  return {
    show({ pattern, lines: isLine, maxError }) {
      const parts = partsOf(pattern);
      kind.value = parts.kind;
      own.value = parts.own;
      ownField.hidden = !["digits:N", "expression"].includes(parts.kind);
      ownField.firstChild.textContent = t(`read.own.${parts.kind}`);
      lines.checked = isLine;
      error.value = String(Number((100 * maxError).toFixed(4)));
    },
  };
}

function input(id, properties) {
  return Object.assign(document.createElement("input"), { id, ...properties });
}

function field(text, control) {
  const label = document.createElement("label");
  label.className = "field";
  const name = document.createElement("span");
  name.textContent = text;
  label.append(name, control);
  return label;
}

function check(text, control) {
  const label = document.createElement("label");
  label.className = "check";
  label.append(control, text);
  return label;
}

function partOf(text) {
  const percent = Math.min(100, Math.max(0, Number.parseFloat(text) || 0));
  return Number((percent / 100).toFixed(6));
}
