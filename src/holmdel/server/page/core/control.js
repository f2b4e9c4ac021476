/** One setting or option as a control of HTML. */

import { check, element, field as labelled, say } from "./elements.js";
import { orElse } from "./texts.js";

/** @import { Control, Option } from "../types.d.ts" */

/** @returns {string} what an option or a setting is called. */
export const optionName = (name) => orElse(`option.${name}`, name);

/** @returns {string} what a choice is called. */
export const choiceName = (choice) => orElse(`choice.${choice}`, choice);

/**
 * Makes a control.
 * @param {Option} field
 * @param {{id: string, called?: (choice: string) => string,
 *   change: (value: string | boolean) => void}} about `called` says what a choice is called
 * @returns {Control}
 */
export function createControl(field, { id, called = choiceName, change }) {
  const flag = field.type === "bool";
  const label = optionName(field.name);
  const help = orElse(`help.${field.name}`, field.help ?? "");
  const note = element("span", { class: "help", id: `${id}-help` }, help);
  const input = inputOf(field, called, {
    id, name: field.name, title: help || null, "aria-describedby": note.id,
    onchange: ({ target }) => change(flag ? target.checked : target.value),
  });
  /** @type {string | null} */
  let shown = null; // what is being typed stays, unless the value itself changes
  const box = flag ? check(label, input) : labelled(label, input);
  return {
    node: element("div", { class: `control control-${field.name}` }, box, note),
    input,
    note(said) {
      say(note, said || help);
      note.classList.toggle("shown", said !== "");
    },
    show({ value, given }) {
      const text = String(value ?? "");
      const wanted = input.type === "number" && !Number.isFinite(Number(text)) ? "" : text;
      if (input instanceof HTMLInputElement && flag) input.checked = wanted === "true";
      else if (wanted !== shown || document.activeElement !== input) input.value = wanted;
      shown = wanted;
      input.classList.toggle("given", given);
    },
  };
}

/**
 * Returns what the URL should say after a control changed: null where it is the fallback.
 * @param {{name: string, fallback: unknown}} field
 * @param {string | boolean} value
 * @returns {Record<string, string | null>}
 */
export function changed(field, value) {
  const text = String(value).trim();
  const plain = text === "" || text === String(field.fallback ?? "");
  return { [field.name]: plain ? null : text };
}

function inputOf(field, called, attributes) {
  if (field.type === "bool") return element("input", { type: "checkbox", ...attributes });
  if (field.choices) {
    const options = field.choices.map((choice) => element("option", { value: choice }, called(choice)));
    return element("select", attributes, ...options);
  }
  if (field.type !== "int" && field.type !== "float") {
    return element("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
  }
  return element("input", {
    type: "number", step: field.type === "int" ? "1" : "any", min: field.least, max: field.most,
    inputmode: "decimal", autocomplete: "off", ...attributes,
  });
}
