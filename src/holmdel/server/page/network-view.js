/** One network on the page: a column a layer, its maps, and what it says. */

import { createBars } from "/page/bars.js";
import { element, say } from "/page/draw-elements.js";
import { decode } from "/page/maps.js";
import { drawEdges } from "/page/network-edges.js";
import { createLayer } from "/page/network-layer.js";
import { arrange } from "/page/network-layout.js";
import { percent } from "/page/texts.js";

// CSS pixels of height for the maps of a layer that is alone in its column; on a phone, its row.
const [ROOM, PHONE_ROOM] = [360, 184];
const LANE_ROOM = 92; // and of a branch
const phone = matchMedia("(max-width: 720px)");

/**
 * Makes the view of one network.
 * @param {object} options
 * @param {(key: string, values?: object) => string} options.t
 * @param {{dark: boolean}} options.theme
 * @param {object} options.on what network-point.js calls: hover, leave, pin, unpin, move.
 * @param {(layer: string) => void} options.onKernels asks for a layer's kernels.
 */
export function createNetwork({ t, theme, on, onKernels }) {
  const title = element("h2", { class: "net-title" });
  const facts = element("span", { class: "muted" });
  const grid = element("div", { class: "layers" });
  const scroll = element("div", { class: "layers-scroll", role: "group", "aria-label": t("draw.layers") }, grid);
  const answer = createAnswer(t);
  const head = element("div", { class: "net-head" }, title, facts);
  const node = element("article", { class: "net" }, head, scroll, answer.node);
  let [layers, plan, drawn] = [new Map(), null, ""];

  const build = (given, classes) => {
    drawn = structure(given);
    plan = arrange(given);
    const whole = phone.matches ? PHONE_ROOM : ROOM;
    layers = new Map(given.map((layer, at) => {
      const place = plan.places.get(layer.name);
      const labels = at === given.length - 1 ? classes : null;
      const room = place.alone || phone.matches ? whole : LANE_ROOM;
      return [layer.name, createLayer({ layer, place, room, labels, t, on, onKernels })];
    }));
    grid.classList.toggle("branched", plan.lanes > 1);
    grid.style.setProperty("--columns", plan.columns);
    grid.style.setProperty("--lanes", plan.lanes);
    grid.replaceChildren(...[...layers.values()].map((layer) => layer.node));
    drawEdges(grid, plan.edges, layers);
  };
  let last = null;
  const again = () => {
    drawn = "";
    if (last) show(...last);
  };
  const resized = new ResizeObserver(() => plan && drawEdges(grid, plan.edges, layers));
  resized.observe(grid);
  phone.addEventListener("change", again);
  const show = (found, empty) => {
    last = [found, empty];
    if (structure(found.layers) !== drawn) build(found.layers, found.classes);
    for (const layer of found.layers) {
      const { low, high, data } = layer;
      layers.get(layer.name).show({ bytes: decode(data), low, high }, theme.dark);
    }
    answer.show(found, empty);
  };
  return {
    node,
    head,
    get layers() { return layers; },
    /** Shows the name of the model. */
    name(model) {
      node.dataset.model = model.name;
      say(title, model.name);
      const parameters = model.parameters.toLocaleString();
      say(facts, t("draw.model-facts", { network: model.network, parameters }));
    },
    /** Shows an answer of /v1/activations; makes elements only where the network is another. */
    show,
    repaint: () => layers.forEach((layer) => layer.repaint(theme.dark)),
    clearMarks: () => layers.forEach((layer) => layer.clearMarks()),
    off() {
      resized.disconnect();
      phone.removeEventListener("change", again);
    },
  };
}

function structure(layers) {
  return layers.map(({ name, shape, shown }) => `${name} ${shape} ${shown}`).join("|");
}

function createAnswer(t) {
  const best = element("strong", { class: "best", "data-best": "" });
  const sure = element("span", { class: "sure number" });
  const top = element("p", { class: "answer-top" }, best, sure);
  const bars = element("div", { class: "answer-bars" });
  const heading = element("h3", {}, t("draw.answer"));
  const node = element("aside", { class: "answer", "aria-live": "off" }, heading, top, bars);
  const shown = createBars(bars, { label: t("draw.probabilities") });
  return {
    node,
    show({ classes, probabilities }, empty) {
      const items = classes.map((label, i) => ({ label, probability: empty ? 0 : probabilities[i] }));
      const greatest = items.reduce((one, other) => other.probability > one.probability ? other : one);
      say(best, empty ? "?" : greatest.label);
      best.dataset.best = empty ? "" : greatest.label;
      best.classList.toggle("long", greatest.label.length > 2);
      say(sure, empty ? t("draw.nothing") : percent(greatest.probability));
      shown.update(items);
    },
  };
}
