/** What the colours and frames over the maps mean. */

import { element } from "../core/elements.js";
import { t } from "../core/texts.js";

/** @returns {HTMLElement} */
export function legend() {
  const part = (kind, key) => element("span", { class: "legend-part" }, element("i", { class: `swatch ${kind}` }), t(key));
  const scale = (kind, low, high) => element("span", { class: "legend-part" }, low, element("i", { class: `swatch wide ${kind}` }), high);
  return element("div", { class: "legend", role: "group", "aria-label": t("legend.label") },
    scale("grey", "0", t("legend.most")),
    scale("signed", t("legend.negative"), t("legend.positive")),
    part("unit", "legend.unit"), part("window", "legend.window"), part("field", "legend.field"));
}
