/** How large each layer's maps are, and where it stands, so that a whole network fits a room. No DOM. */

import { groupsOf } from "./groups.js";
import { arrange, grid } from "./layout.js";
import { roomBelow, shortcuts } from "./pipes.js";

/** @import { Layer, Plan, Room } from "../types.d.ts" */

const GAP = 4; // CSS pixels between two maps
const SIDES = { most: 132, least: 18, step: 1 }; // of a map, in CSS pixels
const SCALES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6]; // pixels a unit; then whole ones
const LARGEST_UNIT = 11;
const SCROLLED = { most: 3, side: 28 }; // where a network does not fit: maps as wide as captions
const MOST_COLUMNS = [Infinity, 4, 3, 2, 1]; // of a layer's maps, tried until they are large enough
const GOOD = 28; // CSS pixels of a map that need no fewer maps
const CLASSES = 26; // a vector of so many at most is drawn as a row each
const BETWEEN = { across: 13, down: 4 };
const LEAST = { across: 34, down: 25 }; // of a column, or a row, for its caption
const CAPTION = { across: 50, down: 66, widest: 96 }; // CSS pixels above the maps, or left of them
const GROUP = 17; // of the name of a group, above those
const FULL = 0.85; // of the maps' size without, for which captions get all the room they want
const OVERVIEW = 0.6; // the same where groups are folded: what they are counts more than their maps
const STACK = 15; // CSS pixels right of a folded group and below it, for the sheets behind
const LOW = { room: 240, caption: 34, group: 13 }; // a room so low gets shorter captions

/**
 * Plans a network: left to right, or top to bottom where the room is high.
 * @param {Layer[]} layers in running order
 * @param {Room} room CSS pixels; `whole`: all maps that there are, however small
 * @returns {Plan}
 */
export function plan(layers, room) {
  const { down } = room;
  const arranged = down ? chain(layers) : arrange(layers);
  const { lanes } = arranged;
  const groups = down ? { own: new Map(), all: [] } : groupsOf(layers, arranged);
  const ways = down ? new Map() : shortcuts(arranged);
  const texts = layers.map((layer) => room.caption(layer, nameOf(layer, groups)));
  const low = !down && room.height < LOW.room;
  const top = groups.all.length ? (low ? LOW.group : GROUP) : 0;
  const head = headOf(texts, { down, low }) + top;
  const cross = (down ? room.width : room.height) - head - roomBelow(ways);
  const main = down ? room.height : room.width;
  const about = { layers, squeeze: room.squeeze, arranged, groups, ways, down, low, main, cross, head, top, lane: cross / lanes - (lanes > 1 ? 26 : 0) };
  return fitted({ ...about, columns: room.whole ? [Infinity] : MOST_COLUMNS }, texts, room.group);
}

/** What a layer, or a group, is called below the name of the group around it. */
const nameOf = (/** @type {Layer} */ { name, stage }, groups) => groups.own.get(name) ?? stage?.key ?? name;

/** CSS pixels above the maps, or left of them. */
function headOf(texts, { down, low }) {
  if (!down) return low ? LOW.caption : CAPTION.across;
  return Math.min(CAPTION.widest, Math.max(CAPTION.down, ...texts.map((widths) => widths[2] + 4)));
}

/** Plans with as much room for captions as costs the maps little; with all, where it is to be scrolled. */
function fitted(about, texts, groupWidth) {
  const levels = about.down ? [null] : about.squeeze ? [2, 3] : [0, 1, 2];
  const tried = levels.map((level) => {
    const wanted = level === null ? [] : columnsOf(about, texts, level, groupWidth);
    return { wanted, ...best({ ...about, wanted }) };
  });
  const least = tried[tried.length - 1];
  const full = about.layers.some(({ stage }) => stage) ? OVERVIEW : FULL;
  const scrolled = about.down || about.columns.length === 1 ? { most: Infinity, side: SIDES.least } : SCROLLED;
  const found = least.side ? tried.find(({ side }) => side >= full * least.side) ?? least : { ...tried[0], ...scrolled };
  return grown({ ...about, wanted: found.wanted }, found.most, Math.max(found.side, SIDES.least));
}

/** What the captions want of each column. */
function columnsOf({ layers, arranged, groups, low }, texts, level, groupWidth) {
  const wanted = new Array(arranged.columns).fill(0);
  if (level === 3) return wanted; // names are shortened
  layers.forEach(({ name }, i) => {
    const { column, alone } = arranged.places.get(name);
    wanted[column] = Math.max(wanted[column], texts[i][alone && !low ? level : 2]);
  });
  for (const { name, first, last } of groups.all) if (first === last) wanted[first] = Math.max(wanted[first], groupWidth(name));
  return wanted;
}

function best(about) {
  let found = { most: about.columns[0], side: 0 };
  for (const most of about.columns) {
    const side = largestSide(about, most);
    if (side > 1.25 * found.side) found = { most, side };
    if (side >= GOOD) break;
  }
  return found;
}

/** All layers one below the other, as on a phone. */
function chain(layers) {
  const { edges } = arrange(layers);
  const places = layers.map(({ name }, column) => [name, { column, lane: 0, alone: true }]);
  return { columns: layers.length, lanes: 1, places: new Map(/** @type {any} */ (places)), edges };
}

function largestSide(about, most) {
  for (let side = SIDES.most; side > 8; side -= SIDES.step) {
    if (lengthOf(about, boxes(about, most, side, 1)) <= about.main) return side;
  }
  return 0;
}

/** Plans with maps of a side; those of layers with few maps grow as far as there is room. */
function grown(about, most, side) {
  for (let more = 2.4; more > 1; more -= 0.1) {
    const made = boxes(about, most, side, more);
    if (lengthOf(about, made) <= about.main) return placed(about, made);
  }
  return placed(about, boxes(about, most, side, 1));
}

function boxes({ layers, arranged, cross, lane, down }, most, side, more) {
  return layers.map((layer, at) => {
    const { alone } = arranged.places.get(layer.name);
    const room = alone ? cross : lane;
    const few = layer.shown * (side + GAP) < room;
    const last = at === layers.length - 1;
    return boxOf(layer, { room: layer.stage ? room - STACK - 6 : room, side: few ? side * more : side, most: alone ? most : Math.min(most, 3), down, last });
  });
}

/** How a layer's maps lie: the geometry and its size. */
function boxOf(layer, about) {
  const { shape, shown } = layer;
  if (shape.length !== 3) return vectorBox(shown, about);
  const [, height, width] = shape;
  const longest = Math.max(height, width);
  const picture = layer.name === "input";
  const wanted = Math.min(about.side * (picture ? 1.6 : 1), about.room, about.down ? 999 : 200);
  const size = Math.min(scaleBelow(wanted / longest), picture ? 99 : LARGEST_UNIT);
  const gap = Math.max(1, Math.round(GAP / size));
  return filled({ height, width, gap, size }, shown, about);
}

function vectorBox(shown, about) {
  const { room, side, last } = about;
  if (shown <= CLASSES && last && !about.down) {
    const size = Math.max(4, Math.min(26, Math.floor(room / shown)));
    return filled({ height: 1, width: 1, gap: 0, size }, shown, { ...about, most: 1 });
  }
  const size = Math.max(3, Math.min(14, Math.floor(side / (shown > 200 ? 8 : 4.2)), Math.floor(room / Math.min(shown, 12))));
  return filled({ height: 1, width: 1, gap: 0, size }, shown, { ...about, most: about.most === Infinity ? 64 : 6 });
}

/** Fills rows, or columns, of the room with maps; those that do not fit are left out. */
function filled(unit, shown, { room, most, down }) {
  const { height, width, gap, size } = unit;
  const across = down ? width : height; // what lies along the room
  const along = Math.max(1, Math.floor((room / size + gap) / (across + gap)));
  const lines = Math.min(most, Math.ceil(shown / along));
  const kept = Math.min(shown, along * lines);
  const even = Math.ceil(kept / lines);
  const counts = down ? { columns: even, rows: lines } : { columns: lines, rows: even };
  return grid({ ...unit, ...counts, shown: kept });
}

function scaleBelow(wanted) {
  if (wanted >= 7) return Math.floor(wanted);
  return [...SCALES].reverse().find((scale) => scale <= wanted) ?? SCALES[0];
}

const sizeOf = (box) => [box.canvasWidth * box.size, box.canvasHeight * box.size];

/** What each column, or row, takes. */
function extents({ layers, arranged, down, wanted }, made) {
  const least = LEAST[down ? "down" : "across"];
  const found = Array.from({ length: arranged.columns }, (_, column) => Math.max(least, wanted[column] ?? 0));
  layers.forEach(({ name, stage }, i) => {
    const { column } = arranged.places.get(name);
    found[column] = Math.max(found[column], sizeOf(made[i])[down ? 1 : 0] + (stage ? STACK : 0));
  });
  return found;
}

/** What lies between two columns, or rows, at least. */
function leastBetween({ arranged, down, squeeze }) {
  return BETWEEN[down ? "down" : "across"] + (arranged.lanes > 1 ? (squeeze ? 4 : 14) : 0);
}

function lengthOf(about, made) {
  const all = extents(about, made);
  return all.reduce((sum, one) => sum + one, 0) + leastBetween(about) * (all.length - 1);
}

/** Where each layer stands: the columns spread over the room, the maps in the middle of theirs. */
function placed(about, made) {
  const { layers, arranged, groups, ways, down, low, main, cross, head, top } = about;
  const all = extents(about, made);
  const used = all.reduce((sum, one) => sum + one, 0);
  const least = leastBetween(about);
  const between = Math.max(least, (main - used) / Math.max(1, all.length - 1));
  const starts = all.reduce((found, one) => [...found, found[found.length - 1] + one + between], [0]);
  const lane = cross / arranged.lanes;
  const places = layers.map(({ name }, i) => {
    const { column, lane: own, alone } = arranged.places.get(name);
    const [width, height] = sizeOf(made[i]);
    const middle = head + (alone ? cross / 2 : (own + 0.5) * lane + 10);
    const begin = starts[column] + (all[column] - (down ? height : width)) / 2;
    const [x, y] = down ? [head, begin] : [begin, Math.round(middle - height / 2)];
    const slot = { start: starts[column], extent: all[column], between };
    return [name, { x: Math.round(x), y: Math.round(y), width, height, geometry: made[i], alone, slot }];
  });
  const spans = groups.all.map(({ name, first, last, open }) => ({ name, open, left: starts[first], right: starts[last] + all[last] }));
  const length = Math.max(main, used + least * (all.length - 1));
  const scrolled = length > main + 1;
  const told = { down, scrolled, low, head, top, length, floor: head + cross, own: groups.own, groups: spans, shortcuts: ways };
  return { ...told, edges: arranged.edges, places: new Map(/** @type {any} */ (places)) };
}
