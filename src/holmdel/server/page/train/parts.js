/** What the Train tab is made of, and which keys of the URL it shows. */

import { element } from "../core/elements.js";
import { t } from "../core/texts.js";
import { KEYS as SHEET } from "../draw/source.js";
import { Form } from "./form.js";
import { Live } from "./live.js";
import { Panels } from "./panels.js";
import { Runs } from "./runs.js";
import { Status } from "./status.js";

/** What the keys of the tab begin with. */
export const KEY = "train.";
const OWN = ["network", "layers", "data", "training", "hidden", "lesson", "sample"];

/** Returns the parts of the tab, put into its root. */
export function build(root, on) {
  const place = (id) => element("section", { id, class: "panel" });
  const ids = ["controls", "watch", "curves", "live"].map((name) => `train-${name}`);
  const [controls, watch, curves, live] = ids.map(place);
  const epochs = element("table", { class: "data" });
  const details = element("details", { id: "train-epochs" }, element("summary", {}, t("train.epochs")),
    element("div", { class: "wide" }, epochs));
  details.addEventListener("toggle", on.redraw);
  root.append(controls, element("div", { class: "results" }, watch, curves, live));
  const parts = {
    form: new Form(controls, on),
    watch: new Status(watch, on),
    panels: new Panels(curves, on.point),
    runs: new Runs(curves, on),
    live: new Live(live, on),
    epochs,
    liveBox: live,
  };
  curves.append(details);
  return parts;
}

/** Returns the keys of the URL that the tab shows. */
export function keys({ settings, networks }) {
  const offered = [...settings, ...networks.flatMap((network) => network.options)];
  const names = new Set([...OWN, ...offered.map((one) => one.name)]);
  return [...[...names].map((name) => KEY + name), ...SHEET];
}
