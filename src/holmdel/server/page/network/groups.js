/** Long names in two: what the layers of a column have in common, and the rest. No DOM. */

/** @import { Arrangement, Groups, Layer } from "../types.d.ts" */

/**
 * Finds the groups of a network whose names have parts, as `stage1.block2.conv1` has, or of stages.
 * @param {Layer[]} layers
 * @param {Arrangement} arranged
 * @returns {Groups} `own`: what is left of each name; `all`: columns one after the other with the same begin
 */
export function groupsOf(layers, { places, columns }) {
  const inColumns = Array.from({ length: columns }, () => /** @type {Layer[]} */ ([]));
  for (const layer of layers) inColumns[places.get(layer.name)?.column ?? 0].push(layer);
  const own = new Map();
  /** @type {Groups["all"]} */
  const all = [];
  inColumns.forEach((members, column) => {
    const [{ within = null } = {}] = members;
    const common = within ?? commonOf(members.map(({ name }) => name));
    for (const { name, stage } of members) own.set(name, restOf(stage?.key ?? name, common));
    const last = all[all.length - 1];
    if (common && last?.name === common && last.last === column - 1) last.last = column;
    else if (common) all.push({ name: common, first: column, last: column, open: within !== null });
  });
  return { own, all };
}

function restOf(name, common) {
  return common && name.startsWith(`${common}.`) ? name.slice(common.length + 1) : name;
}

/** The parts that all names begin with; each keeps one at least. */
function commonOf(names) {
  const parts = names.map((name) => name.split("."));
  const most = Math.min(...parts.map((one) => one.length - 1));
  let same = 0;
  while (same < most && parts.every((one) => one[same] === parts[0][same])) same++;
  return parts.length ? parts[0].slice(0, same).join(".") : "";
}

/**
 * @param {string} name such as stage1.block2.conv1
 * @returns {string[]} shorter and shorter forms: s1.block2.conv1, s1.b2.conv1, s1.b2.c1; a name
 *   without a number at its end keeps that
 */
export function shortForms(name) {
  const parts = name.split(".");
  const last = parts.length - 1;
  const brief = (part, at) => (at < last || /\d/.test(part) ? part.replace(/^([^\d\W])[^\d\W]+/, "$1") : part);
  return parts.map((_, i) => parts.map((part, at) => (at <= i ? brief(part, at) : part)).join("."));
}
