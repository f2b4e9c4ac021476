/** Long names in two: what the layers of a column have in common, and the rest. No DOM. */

/** @import { Arrangement, Groups } from "../types.d.ts" */

/**
 * Finds the groups of a network whose names have parts, as `stage1.block2.conv1` has.
 * @param {string[]} names of the layers
 * @param {Arrangement} arranged
 * @returns {Groups} `own`: what is left of each name; `all`: columns one after the other with the same begin
 */
export function groupsOf(names, { places, columns }) {
  const inColumns = Array.from({ length: columns }, () => /** @type {string[]} */ ([]));
  for (const name of names) inColumns[places.get(name)?.column ?? 0].push(name);
  const own = new Map();
  /** @type {Groups["all"]} */
  const all = [];
  inColumns.forEach((members, column) => {
    const common = commonOf(members);
    const skipped = common ? common.length + 1 : 0;
    for (const name of members) own.set(name, name.slice(skipped));
    const last = all[all.length - 1];
    if (common && last?.name === common && last.last === column - 1) last.last = column;
    else if (common) all.push({ name: common, first: column, last: column });
  });
  return { own, all };
}

/** The parts that all names begin with; each keeps one at least. */
function commonOf(names) {
  const parts = names.map((name) => name.split("."));
  const most = Math.min(...parts.map((one) => one.length - 1));
  let same = 0;
  while (same < most && parts.every((one) => one[same] === parts[0][same])) same++;
  return parts.length ? parts[0].slice(0, same).join(".") : "";
}
