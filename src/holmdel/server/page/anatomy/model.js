/** The request of the Anatomy tab, and the rows of its table. No DOM. */

/** @import { AnatomyLayer, AnatomyRow, Network } from "../types.d.ts" */

const BUILT = ["channels", "size"]; // options that follow from the picture's size
export const SUMS = ["parameters", "connections", "macs"];

/**
 * Returns the controls for a network, or for a model, which is built already.
 * @param {Network | null} network of /v1/networks; null for a model
 * @param {number[]} input [C, H, W] without a choice
 * @param {(name: string) => string | null} given what the URL says
 */
export function fields(network, input, given) {
  const size = { name: "input", type: "str", default: input.join("x"), choices: null };
  const options = network ? network.options.filter((option) => !BUILT.includes(option.name)) : [];
  return [size, ...options].map((field) => {
    const text = given(field.name);
    return { ...field, fallback: field.default, given: text !== null, value: text ?? field.default };
  });
}

/**
 * Returns [C, H, W] that a network is made for.
 * @param {Network} network
 * @returns {number[]}
 */
export function inputOf(network) {
  const value = (name) => network.options.find((option) => option.name === name)?.default;
  return [value("channels"), ...value("size")];
}

/**
 * Returns the parameters of GET /v1/anatomy.
 * @param {Record<string, string | undefined>} what
 * @param {ReturnType<typeof fields>} form
 */
export function query(what, form) {
  const chosen = form.filter((field) => field.given).map((field) => [field.name, field.value]);
  return { ...what, ...Object.fromEntries(chosen) };
}

/**
 * Returns the rows of the table.
 * @param {{layers: AnatomyLayer[]}} anatomy
 * @param {{layers: AnatomyLayer[]} | null} usual the network without options
 * @returns {AnatomyRow[]}
 */
export function rows(anatomy, usual) {
  const before = new Map((usual?.layers ?? []).map((layer) => [layer.name, layer]));
  const look = (layer) => [layer.kind, layer.detail, layer.output, ...SUMS.map((sum) => layer[sum])].join();
  return anatomy.layers.map((layer) => {
    const was = before.get(layer.name) ?? null;
    return { layer, was: was && look(was) !== look(layer) ? was : null, fresh: Boolean(usual) && !was };
  });
}

/**
 * Returns, for each layer, the name of the layer that the drawing shows it with.
 * @param {{name: string, inputs: string[]}[]} layers in running order
 * @param {Set<string>} drawn names that the drawing has
 * @returns {Map<string, string>}
 */
export function drawnWith(layers, drawn) {
  const found = new Map();
  for (const { name, inputs } of layers) {
    const shown = drawn.has(name) ? name : found.get(inputs[0]) ?? inputs[0];
    if (drawn.has(shown)) found.set(name, shown);
  }
  return found;
}
