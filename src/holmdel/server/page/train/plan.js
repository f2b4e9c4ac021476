/** What a training is started with: the fields of the form, what is sent, how trainings differ. No DOM. */

/** @import { DataSet, Field, Job, Networks, Option } from "../types.d.ts" */

const MAIN = ["activation", "pooling", "recipe", "lr", "epochs", "batch_size", "limit", "seed"];
const SMALL = "digits"; // few examples: lessons take other settings
const OWN = "own"; // a network of layers that were put together in the page
const NUMBERS = new Set(["int", "float"]);

/** Two trainings each, one after the other, that differ in one thing. Tried on Fashion-MNIST. */
export const LESSONS = {
  activation: [job({ activation: "sigmoid", lr: 0.5 }), job({ activation: "relu", lr: 0.5 })],
  padding: [job({ pooling: "avg" }), job({ pooling: "avg" }, "lenet-max")],
  rate: [job({ lr: 0.1 }), job({ lr: 0.9 })],
  pooling: [job({ pooling: "avg" }), job({ pooling: "max" })],
  dead: [job({ activation: "relu", lr: 0.9 }), job({ activation: "relu", lr: 0.9, restarts: 3 })],
};

const RELU = { activation: "relu", lr: 0.1 };
/** The same lessons with settings for few examples. Tried on the 1,797 digits. */
const SMALL_LESSONS = {
  activation: [small({ activation: "sigmoid", lr: 0.1 }), small(RELU)],
  padding: [small({ ...RELU, pooling: "avg" }), small({ ...RELU, pooling: "avg" }, "lenet-max")],
  rate: [small({ ...RELU, lr: 0.01 }), small(RELU)],
  pooling: [small({ ...RELU, pooling: "avg" }), small({ ...RELU, pooling: "max" })],
  dead: [small({ ...RELU, lr: 0.9 }), small(RELU)],
};

/** The lesson that is ready where nothing was chosen. */
export const FIRST_LESSON = "activation";

/** @returns {boolean} whether a data set has so few examples that lessons have other settings. */
export const isSmall = (data) => data === SMALL;

function small(settings, network = "lenet") {
  return job({ epochs: 8, batch_size: 16, ...settings }, network);
}

function job(settings, network = "lenet") {
  return { network, settings: { epochs: 5, ...settings } };
}

/**
 * Returns the fields of the form as they stand.
 * @param {Networks} offers of /v1/networks
 * @param {DataSet[]} data of /v1/data
 * @param {(name: string) => string | null} given what the URL says
 * @returns {Field[]}
 */
export function fields(offers, data, given) {
  const network = networkOf(offers, given("network"));
  const recipes = Object.keys(network.recipes);
  const plan = network.recipes[given("recipe") ?? ""] ?? network.recipes[recipes[0]];
  /** @param {Option} offer @param {Field["group"]} group */
  const field = (offer, group) => {
    const fallback = offer.name === "recipe" ? recipes[0] : (plan[offer.name] ?? offer.default);
    const choices = offer.name === "recipe" ? recipes : offer.choices;
    const text = given(offer.name);
    return { ...offer, choices, group, fallback, given: text !== null, value: text ?? fallback };
  };
  const options = network.options.filter((option) => option.training);
  const offered = [...options.map((option) => ({ help: "", ...option })), ...offers.settings];
  const named = new Map(offered.map((offer) => [offer.name, offer]));
  const isOption = new Set(options.map((option) => option.name));
  return [
    field(choice("network", offers.networks.map((one) => one.name), network.name), "main"),
    field(choice("data", data.map((one) => one.name), firstData(data)), "main"),
    ...MAIN.filter((name) => named.has(name)).map((name) => field(named.get(name), "main")),
    ...offered
      .filter((offer) => !MAIN.includes(offer.name))
      .map((offer) => field(offer, isOption.has(offer.name) ? "network" : "more")),
  ];
}

function choice(name, choices, fallback) {
  return { name, type: "str", default: fallback, choices, help: "" };
}

function networkOf(offers, name) {
  return offers.networks.find((network) => network.name === name) ?? offers.networks[0];
}

function firstData(data) {
  const wanted = ["fashion-mnist", "mnist"].map((name) => data.find((one) => one.name === name));
  return (wanted.find((one) => one?.here) ?? data.find((one) => one.here) ?? data[0]).name;
}

/**
 * Adds networks of the user's own to those that are offered: layers put together in the page, and models.
 * @param {Networks} offers of /v1/networks
 * @param {{name: string, network: string}[]} models of /v1/models
 * @returns {Networks}
 */
export function withOwn(offers, models) {
  const { book = {}, ...others } = offers.networks[0]?.recipes ?? {};
  const known = new Set(offers.networks.map((network) => network.name));
  const own = models.filter((model) => !known.has(model.network) && !model.name.startsWith("training-"));
  const named = [OWN, ...own.map((model) => model.name)].filter((name) => !known.has(name));
  const added = named.map((name) => ({ name, options: [], recipes: { ...others, book } }));
  return { ...offers, networks: [...offers.networks, ...added] };
}

/**
 * Returns what POST /v1/trainings takes: only what was given stands in the settings.
 * @param {Field[]} form
 * @param {string | null} [layers] of a network of one's own
 * @returns {Job}
 */
export function request(form, layers = null) {
  const chosen = Object.fromEntries(form.map((field) => [field.name, field]));
  const settings = form.filter((field) => field.given && !["network", "data"].includes(field.name));
  const network = String(chosen.network.value);
  return {
    network,
    ...(network === OWN && layers ? { layers } : {}),
    data: String(chosen.data.value),
    settings: Object.fromEntries(settings.map((field) => [field.name, typed(field)])),
  };
}

function typed(field) {
  const text = String(field.value);
  if (field.type === "bool") return text === "true";
  return NUMBERS.has(field.type) && text.trim() && Number.isFinite(Number(text)) ? Number(text) : text;
}

/**
 * @param {string} name of LESSONS
 * @param {string} data a data set's name
 * @returns {Job[]} the trainings of a lesson.
 */
export function lesson(name, data) {
  return (isSmall(data) ? SMALL_LESSONS : LESSONS)[name].map((one) => ({ ...one, data }));
}

/**
 * Returns the data set of a lesson: the chosen one, or one that need not be downloaded.
 * @param {DataSet[]} data of /v1/data
 */
export function lessonData(chosen, data) {
  const here = data.filter((one) => one.here);
  return (here.find((one) => one.name === chosen) ?? here[0] ?? { name: chosen }).name;
}

/**
 * Returns what the URL should say for a lesson: its first training, and nothing else of the form.
 * @param {string} name of LESSONS
 * @param {string} data a data set's name
 * @param {Field[]} form
 * @returns {Record<string, string | null>}
 */
export function lessonValues(name, data, form) {
  const cleared = Object.fromEntries(form.map((field) => [field.name, null]));
  const { network, settings } = lesson(name, data ?? "")[0];
  const given = Object.entries(settings).map(([key, value]) => [key, String(value)]);
  return { ...cleared, network, data, ...Object.fromEntries(given) };
}

/**
 * Returns for every training the given settings in which it differs from the others.
 * @param {Job[]} trainings
 * @param {Pick<Networks, "networks">} offers of /v1/networks
 * @returns {[string, unknown][][]} names and values, what a recipe says included
 */
export function differences(trainings, offers) {
  const names = [...new Set(trainings.flatMap((one) => Object.keys(one.settings)))];
  const whole = trainings.map((one) => {
    const { recipes } = networkOf(offers, one.network);
    return { ...(recipes[String(one.settings.recipe)] ?? Object.values(recipes)[0]), ...one.settings };
  });
  const differing = names.filter((name) => new Set(whole.map((one) => String(one[name]))).size > 1);
  return whole.map((one) =>
    differing.filter((name) => name in one).map((name) => [name, one[name]]));
}
