/** One setting or option as a control of HTML. */

import { element, say } from "/page/draw-elements.js";

/**
 * Makes a control.
 * @param {{name: string, type: string, choices: string[] | null, least?: number, most?: number}} field
 * @param {{id: string, label: string, help: string, called: (choice: string) => string,
 *   change: (value: string | boolean) => void}} about `called` says what a choice is called
 * @returns {{node: HTMLElement, input: HTMLElement, note: (text: string) => void,
 *   show: (now: {value: unknown, given: boolean}) => void}}
 */
export function createControl(field, { id, label, help, called, change }) {
  const flag = field.type === "bool";
  const note = element("span", { class: "help", id: `${id}-help` }, help);
  const input = inputOf(field, called, {
    id, name: field.name, title: help || null, "aria-describedby": note.id,
    onchange: ({ target }) => change(flag ? target.checked : target.value),
  });
  const text = element("span", {}, label);
  let shown = null; // what is being typed stays, unless the value itself changes
  const box = flag
    ? element("label", { class: "check" }, input, text)
    : element("label", { class: "field" }, text, input);
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
      if (flag) input.checked = wanted === "true";
      else if (wanted !== shown || document.activeElement !== input) input.value = wanted;
      shown = wanted;
      input.classList.toggle("given", given);
    },
  };
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
