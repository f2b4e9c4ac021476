/** One network on the page: a column a layer, its maps, and what it says. */

import { decode } from "../core/base64.js";
import { createBars } from "../core/bars.js";
import { element, say } from "../core/elements.js";
import { drawEdges } from "./edges.js";
import { LayerView } from "./layer.js";
import { arrange } from "./layout.js";
import { grouped, percent } from "../core/numbers.js";
import { t } from "../core/texts.js";

/** @import { Activations, Arrangement, NetworkOptions } from "../types.d.ts" */

// CSS pixels of height for the maps of a layer that is alone in its column; on a phone, its row.
const [ROOM, PHONE_ROOM] = [360, 184];
const LANE_ROOM = 92; // and of a branch
const phone = matchMedia("(max-width: 720px)");

/** One network on the page. */
export class NetworkView {
  /** @type {Map<string, LayerView>} */
  layers = new Map(); // by name
  /** @type {Arrangement | null} */
  #plan = null;
  #drawn = "";
  /** @type {[Activations, boolean] | null} */
  #last = null;
  #again = () => this.#rebuild();
  #resized = new ResizeObserver(() => this.#drawEdges());

  /** @param {NetworkOptions} options */
  constructor(options) {
    this.options = options;
    this.title = element("h2");
    this.facts = element("span", { class: "muted" });
    this.head = element("div", { class: "net-head" }, this.title, this.facts);
    this.grid = element("div", { class: "layers" });
    const around = { class: "layers-scroll", role: "group", "aria-label": t("draw.layers") };
    this.answer = createAnswer();
    const scroll = element("div", around, this.grid);
    this.node = element("article", { class: "net" }, this.head, scroll, this.answer.node);
    this.#resized.observe(this.grid);
    phone.addEventListener("change", this.#again);
  }

  /** Shows the name of the model. */
  name(model) {
    this.node.dataset.model = model.name;
    say(this.title, model.name);
    const parameters = grouped(model.parameters);
    say(this.facts, t("draw.model-facts", { network: model.network, parameters }));
  }

  /**
   * Shows an answer of /v1/activations; makes elements only where the network is another.
   * @param {Activations} found
   * @param {boolean} empty whether there is nothing on the sheet.
   */
  show(found, empty) {
    this.#last = [found, empty];
    if (structure(found) !== this.#drawn) this.#build(found);
    for (const { name, low, high, data } of found.layers) {
      this.layers.get(name)?.show({ bytes: decode(data), low, high }, this.options.theme.dark);
    }
    this.answer.show(found, empty);
  }

  repaint() {
    this.layers.forEach((layer) => layer.repaint(this.options.theme.dark));
  }

  clearMarks() {
    this.layers.forEach((layer) => layer.clearMarks());
  }

  off() {
    this.#resized.disconnect();
    phone.removeEventListener("change", this.#again);
  }

  /** @param {Activations} found */
  #build(found) {
    const { on, onKernels } = this.options;
    const { layers: given, classes } = found;
    this.#drawn = structure(found);
    const plan = arrange(given);
    const whole = phone.matches ? PHONE_ROOM : ROOM;
    /** @type {[string, LayerView][]} */
    const made = given.map((layer, at) => {
      const place = plan.places.get(layer.name) ?? { column: 0, lane: 0, alone: true };
      const labels = at === given.length - 1 ? classes : null;
      const room = place.alone || phone.matches ? whole : LANE_ROOM;
      const view = new LayerView({ layer, place, room, labels, on, onKernels });
      return [layer.name, view];
    });
    this.layers = new Map(made);
    this.#plan = plan;
    this.grid.classList.toggle("branched", plan.lanes > 1);
    this.grid.style.setProperty("--columns", String(plan.columns));
    this.grid.style.setProperty("--lanes", String(plan.lanes));
    this.grid.replaceChildren(...made.map(([, layer]) => layer.node));
    this.#drawEdges();
  }

  #rebuild() {
    this.#drawn = "";
    if (this.#last) this.show(...this.#last);
    this.options.onRebuilt();
  }

  #drawEdges() {
    if (this.#plan) drawEdges(this.grid, this.#plan.edges, this.layers);
  }
}

/** Returns what the elements of a network hang on, as text. */
function structure({ layers, classes }) {
  const told = ({ name, kind, detail, shape, shown }) => [name, kind, detail, shape, shown];
  return JSON.stringify([layers.map(told), classes]);
}

function createAnswer() {
  const best = element("strong", { class: "best", "data-best": "" });
  const sure = element("span", { class: "sure number" });
  const top = element("p", { class: "answer-top" }, best, sure);
  const bars = element("div", { class: "answer-bars" });
  const heading = element("h3", {}, t("draw.answer"));
  const node = element("aside", { class: "answer", "aria-live": "off" }, heading, top, bars);
  const shown = createBars(bars);
  return {
    node,
    show({ classes, probabilities, found }, empty) {
      empty ||= found === "nothing";
      const given = (i) => (empty ? 0 : probabilities[i]);
      const items = classes.map((label, i) => ({ label, probability: given(i) }));
      const larger = (one, other) => (other.probability > one.probability ? other : one);
      const greatest = items.reduce(larger);
      say(best, empty ? "?" : greatest.label);
      best.dataset.best = empty ? "" : greatest.label;
      best.classList.toggle("long", greatest.label.length > 2);
      const more = found === "several" ? t("draw.several") : "";
      say(sure, empty ? t("draw.nothing") : percent(greatest.probability) + more);
      shown.update(items);
    },
  };
}
