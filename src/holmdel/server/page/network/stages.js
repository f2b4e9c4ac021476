/** A deep network in stages: groups of layers that are folded into one, or open. No DOM. */

import { arrange } from "./layout.js";

/** @import { Layer } from "../types.d.ts" */

const LEAST = 3; // layers in a row without a name in common, from which they are a group
const MOST_COLUMNS = 9; // of an open group; a longer one is shown as the groups in it
const DASH = "\u2013";

/** All layers, whatever room they take. */
export const ALL = "all";

/**
 * Folds the groups of a network, but for one that is open, with those around it.
 * @param {Layer[]} layers in running order, the input first and the logits last
 * @param {string | null} open a group's key; null for none, `ALL` for all layers
 * @param {boolean} [narrow] whether all before the open group is one, and all behind it
 * @returns {Layer[]} of a folded group the last layer, with `stage`; inputs are among those returned.
 */
export function fold(layers, open, narrow = false) {
  if (open === ALL || layers.length < 3) return layers;
  const parts = partsOf(layers.slice(1, -1), "", 0, open);
  const kept = [layers[0], ...(narrow ? narrowed(parts, open) : parts), layers[layers.length - 1]];
  const owner = new Map(layers.map(({ name }) => [name, name]));
  for (const { name, stage } of kept) for (const member of stage?.members ?? []) owner.set(member, name);
  const known = new Map(layers.map((layer) => [layer.name, layer]));
  return kept.map((layer) => {
    const members = layer.stage?.members ?? [layer.name];
    const inputs = members.flatMap((name) => known.get(name)?.inputs ?? []).map((name) => owner.get(name) ?? name);
    return { ...layer, inputs: [...new Set(inputs)].filter((name) => name !== layer.name) };
  });
}

/**
 * @param {Layer[]} layers all of a network
 * @param {string} name of one of them
 * @returns {string | null} the key of the innermost group that is to be open for it to be seen.
 */
export function groupOf(layers, name) {
  /** @type {string | null} */
  let open = null;
  for (let depth = 0; depth < 9; depth++) {
    const holder = fold(layers, open).find(({ stage }) => stage?.members.includes(name));
    if (!holder?.stage) return open;
    open = holder.stage.key;
  }
  return open;
}

/** @param {string} key @returns {string | null} the group around a group, which is open when this one closes. */
export function around(key) {
  const outer = prefixesOf(key.split(DASH)[0]);
  return outer[outer.length - 1] ?? null;
}

/** Folds all parts before the open group into one, and all behind it; a click on them closes it. */
function narrowed(/** @type {Layer[]} */ parts, open) {
  const inside = (/** @type {Layer} */ { within }) => within === open || Boolean(within?.startsWith(`${open}.`));
  const first = parts.findIndex(inside);
  if (first < 0) return parts;
  const end = parts.findLastIndex(inside) + 1;
  const one = (/** @type {Layer[]} */ some) => (some.length > 1 ? [merged(some, around(open))] : some);
  return [...one(parts.slice(0, first)), ...parts.slice(first, end), ...one(parts.slice(end))];
}

function merged(/** @type {Layer[]} */ parts, opens) {
  const called = parts.map(({ name, stage }) => stage?.key ?? name);
  const key = [called[0].split(DASH)[0], called[called.length - 1].split(DASH).pop()].join(DASH);
  const members = parts.flatMap(({ name, stage }) => stage?.members ?? [name]);
  return { ...parts[parts.length - 1], within: "", stage: { key, members, opens } };
}

/** The groups that a name is in, the outermost first: those of `inception3a.path1.conv`, and `inception3`. */
function prefixesOf(name) {
  const parts = name.split(".");
  const found = parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("."));
  const series = /^(\D+\d+)[a-z]$/.exec(parts[0]);
  return series ? [series[1], ...found] : found;
}

/** @returns {Layer[]} what is shown of layers in a row. */
function partsOf(/** @type {Layer[]} */ layers, within, level, open) {
  const runs = runsOf(layers, (layer) => prefixesOf(layer.name)[level] ?? "");
  return runs.flatMap(({ key, members }) => (key ? groupParts(members, key, within, level, open) : looseParts(members, within, open)));
}

function groupParts(members, key, within, level, open) {
  if (!isOpen(key, open)) return members.length > 1 ? [folded(members, key, within)] : placed(members, within);
  const nested = members.some(({ name }) => prefixesOf(name).length > level + 1);
  if (nested && columnsOf(members) > MOST_COLUMNS) return partsOf(members, key, level + 1, open);
  return placed(members, key);
}

/** How many layers behind one another a group has, its branches beside one another. */
function columnsOf(members) {
  const own = new Set(members.map(({ name }) => name));
  const inside = members.map(({ name, inputs }) => ({ name, inputs: inputs.map((input) => (own.has(input) ? input : "")) }));
  return arrange([{ name: "", inputs: [] }, ...inside]).columns - 1;
}

/** Layers without a group in their names: those up to a pooling are one. */
function looseParts(layers, within, open) {
  let count = 0;
  const runs = runsOf(layers, (layer) => String(/Pool/.test(layer.kind) ? count++ : count) + (layer.shape.length === 1));
  return runs.flatMap(({ members }) => {
    const key = `${members[0].name}${DASH}${members[members.length - 1].name}`;
    if (members.length < LEAST) return placed(members, within);
    return key === open ? placed(members, key) : [folded(members, key, within)];
  });
}

const isOpen = (key, open) => open !== null && (key === open || prefixesOf(`${open}.`).includes(key));

const placed = (members, within) => members.map((layer) => ({ ...layer, within }));

function folded(members, key, within) {
  return { ...members[members.length - 1], within, stage: { key, members: members.map(({ name }) => name), opens: key } };
}

/** Layers in a row with the same key. */
function runsOf(layers, keyOf) {
  /** @type {{key: string, members: Layer[]}[]} */
  const found = [];
  for (const layer of layers) {
    const key = keyOf(layer);
    const last = found[found.length - 1];
    if (last?.key === key) last.members.push(layer);
    else found.push({ key, members: [layer] });
  }
  return found;
}
