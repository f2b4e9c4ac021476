/** The layer table. */

import { element } from "../core/elements.js";
import { SUMS, rows } from "./model.js";
import { grouped } from "../core/numbers.js";
import { language, t } from "../core/texts.js";
import { detailName, kindName } from "../network/names.js";

/** @import { Anatomy } from "../types.d.ts" */

const COLUMNS = ["name", "kind", "detail", "output", ...SUMS, "field"];

/**
 * @param {Anatomy} anatomy of /v1/anatomy
 * @param {Anatomy | null} usual the network without options, to tell what is different
 * @returns {HTMLTableElement} the table of an anatomy.
 */
export function layerTable(anatomy, usual) {
  const heads = COLUMNS.map((name) => {
    const title = name === "field" ? t("anatomy.field.how") : null;
    return element("th", { scope: "col", class: cellClass(name), title }, t(`anatomy.${name}`));
  });
  const body = rows(anatomy, usual).map(({ layer, was, fresh }) => {
    const cells = COLUMNS.slice(1).map((name) => cell(name, layer, was));
    return element("tr", { "data-layer": layer.name, class: fresh ? "changed" : null },
      element("th", { scope: "row" }, layer.name), ...cells);
  });
  const sums = SUMS.map((name) => element("td", { class: "number" }, grouped(anatomy.totals[name])));
  return element("table", { class: "data", id: "anatomy-table" },
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
    element("tfoot", {}, element("tr", {},
      element("th", { scope: "row", colspan: 4 }, t("anatomy.sum")), ...sums, element("td"))));
}

function cell(name, layer, was) {
  const text = valueOf(name, layer);
  const before = was ? valueOf(name, was) : text;
  const changed = before !== text;
  return element("td", {
    class: `${cellClass(name) ?? ""}${changed ? " changed" : ""}`.trim() || null,
    title: changed ? t("anatomy.was", { value: before || "\u2013" }) : null,
  }, text);
}

function cellClass(name) {
  return SUMS.includes(name) || name === "field" ? "number" : null;
}

function valueOf(name, layer) {
  if (name === "output") return layer.output.join("\u00d7");
  if (name === "field") return fieldOf(layer.receptive_field);
  if (name === "detail") return detailName(layer.detail);
  if (name === "kind" && language() !== "en") return kindName(layer.kind);
  return SUMS.includes(name) ? grouped(layer[name]) : layer[name];
}

function fieldOf(field) {
  if (!field) return "";
  const [height, width] = field.size;
  return `${height}\u00d7${width}`;
}
