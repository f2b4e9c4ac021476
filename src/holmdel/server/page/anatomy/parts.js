/** What the Anatomy tab is made of, and what is done with it. */

import { Editor } from "./editor.js";
import { button, element, field, say } from "../core/elements.js";
import { grouped, signed } from "../core/numbers.js";
import { t } from "../core/texts.js";

/** Returns one sum, with the change against the network as it usually is. */
export function sum(name, anatomy, usual) {
  const value = anatomy.totals[name];
  const change = usual ? value - usual.totals[name] : 0;
  const said = change ? t("anatomy.change", { change: signed(change) }) : t("anatomy.same");
  return element("div", { class: "sum", id: `anatomy-sum-${name}` },
    element("span", { class: "muted" }, t(`anatomy.${name}`)),
    element("b", { class: "number" }, grouped(value)),
    element("span", { class: change ? "badge" : "muted small" }, usual ? said : ""));
}

/** Returns the parts of the tab, put into its root. */
export function build(root, on) {
  const what = element("select", { id: "anatomy-what", onchange: (event) => on.choose(event.target.value) });
  const source = element("pre", { tabindex: "0" });
  const parts = {
    root,
    source,
    what,
    fields: element("div", { class: "row", id: "anatomy-fields" }),
    usual: button(t("anatomy.usual"), { class: "quiet", id: "anatomy-usual", onclick: on.usual }),
    train: button(t("anatomy.train"), { id: "anatomy-train", onclick: on.train }),
    editor: new Editor(on.build),
    why: element("p", { id: "anatomy-why", class: "problem", role: "status" }),
    sums: element("div", { id: "anatomy-sums" }),
    drawing: element("div", { id: "anatomy-drawing", tabindex: "0", role: "group", "aria-label": t("anatomy.drawing") }),
    layers: element("div", {
      id: "anatomy-layers", tabindex: "0", role: "group", "aria-label": t("anatomy.layers.how"),
    }),
    copied: element("span", { class: "muted", id: "anatomy-copied" }),
    markdown: element("details", { id: "anatomy-markdown" },
      element("summary", {}, t("anatomy.markdown")), source),
  };
  const copy = button(t("anatomy.copy"), { class: "small", id: "anatomy-copy", onclick: on.copy });
  const enlarge = button(t("anatomy.enlarge"), { class: "small", id: "anatomy-enlarge", onclick: () => {
    const large = parts.drawing.classList.toggle("large");
    say(enlarge, t(large ? "anatomy.fit" : "anatomy.enlarge"));
  } });
  root.append(
    element("section", { class: "panel choice" },
      element("div", { class: "row controls" },
        field(t("anatomy.what"), what), parts.fields, parts.usual, parts.train),
      parts.sums, parts.why),
    element("section", { class: "panel editing" }, parts.editor.node),
    element("section", { class: "panel drawn" },
      element("div", { class: "head" }, element("h2", {}, t("anatomy.drawing")), enlarge), parts.drawing),
    element("section", { class: "panel listed" },
      element("div", { class: "head" }, element("h2", {}, t("anatomy.layers")), parts.copied, copy),
      parts.layers, parts.markdown));
  listen(parts, on);
  return parts;
}

function listen({ layers, drawing }, on) {
  for (const place of [layers, drawing]) {
    const nameAt = (event) => event.target.closest("[data-layer]")?.getAttribute("data-layer") ?? null;
    place.addEventListener("pointerover", (event) => on.mark(nameAt(event)));
    place.addEventListener("pointerleave", () => on.mark(null));
    place.addEventListener("click", (event) => nameAt(event) && on.pin(nameAt(event)));
  }
  layers.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    on.step(by);
  });
}
