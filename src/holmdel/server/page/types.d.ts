/** Types of the page's modules, for the type check only: the server does not send this file. */

import type { Api } from "./core/api.js";
import type { LayerView } from "./network/layer.js";
import type { NetworkView } from "./network/view.js";
import type { createInputImage } from "./draw/input.js";
import type { Source } from "./draw/source.js";
import type { Theme } from "./core/theme.js";
import type { UnitView } from "./unit/view.js";
import type { Geometry } from "./network/layout.js";
import type { UrlState } from "./core/url.js";

/** What the frame of the page gives to a tab. */
export interface App {
  api: Api;
  state: UrlState;
  theme: Theme;
  readonly models: Models;
  /** The models that are chosen, the first one first. */
  chosen(): Model[];
  /** Fetches the models anew. */
  refresh(): Promise<void>;
  /** Has a screen reader say something. */
  announce(text: string): void;
  /** Shows an error until it is dismissed; null takes it away. */
  fail(error: Error | null): void;
  /** Calls back when the models change; returns what ends it. */
  onModels(callback: () => void): () => void;
}

/** Bytes with a type, as a Blob has. */
export type Png = Uint8Array<ArrayBuffer> & { type: string };

/** An image as it is sent. */
export type Upload = Blob | Png;

// What the server's JSON holds, as far as the page uses it; /openapi.json says the rest.

/** /v1/models */
export interface Models {
  models: Model[];
  default: string | null;
  reader: { available: boolean; why: string | null };
  version: string;
}

export interface Model {
  name: string;
  network: string;
  data: string;
  source: string;
  parameters: number;
  classes: string[];
  framing: string;
  input: number[]; // [C, H, W] of the network's input
  stored: number[]; // [C, H, W] of the data set's images
  unknown?: number | null; // as in Activations
}

/** A network option or a training setting. */
export interface Option {
  name: string;
  type: string;
  default: any;
  choices: string[] | null;
  help?: string;
  least?: number;
  most?: number;
  training?: boolean;
}

export interface Network {
  name: string;
  options: Option[];
  recipes: Record<string, Record<string, any>>;
}

/** /v1/networks */
export interface Networks {
  networks: Network[];
  recipes: string[];
  settings: Option[];
}

/** A data set of /v1/data; `here`: it need not be downloaded. */
export interface DataSet {
  name: string;
  classes: string[];
  here: boolean;
}

/** /v1/anatomy */
export interface Anatomy {
  network: string;
  layers: AnatomyLayer[];
  totals: Record<string, number>;
  svg: string;
}

export interface AnatomyLayer {
  name: string;
  kind: string;
  detail: string;
  inputs: string[];
  output: number[];
  parameters: number;
  connections: number;
  macs: number;
  receptive_field: ReceptiveField | null;
}

/** [rows, columns] each, in pixels of the input. */
export interface ReceptiveField {
  size: number[];
  stride: number[];
  offset: number[];
}

export interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** A layer of /v1/activations; `data` is base64, a byte a unit, 0 for `low` and 255 for `high`. */
export interface Layer {
  name: string;
  kind: string;
  detail: string;
  shape: number[];
  shown: number;
  inputs: string[];
  kernels: boolean;
  receptive_field: ReceptiveField | null;
  low: number;
  high: number;
  data: string;
  /** The group that this layer, its last, stands for; `members`: names of all layers in it; what a click opens. */
  stage?: { key: string; members: string[]; opens: string | null };
  /** The key of the open group around it. */
  within?: string;
}

/** /v1/activations; `seen` is what the network was given. */
export interface Activations {
  classes: string[];
  logits: number[];
  probabilities: number[];
  layers: Layer[];
  seen: { shape: number[]; data: string };
  found: "one" | "several" | "nothing";
  /** What the probabilities but the largest may add up to; above it, an image is of no class. */
  unknown?: number | null;
}

/** /v1/kernels; shapes are [outs, ins, H, W] and [outs, ins]. */
export interface KernelValues {
  layer: string;
  shape: number[];
  shown: number[];
  low: number;
  high: number;
  data: string;
}

/** Values of a layer as bytes. */
export interface Values {
  /** Around 0 in any case, such as gradients. */
  signed?: boolean;
  bytes: Uint8Array;
  low: number;
  high: number;
}

/** /v1/unit */
export interface Unit {
  layer: string;
  kind: string;
  unit: number[];
  value: number | null;
  operation: string;
  patch: any; // nested lists: [C, H, W], or [n] of a vector
  kernel: any;
  bias: number | null;
  sum: number | null;
  function: string | null;
  argmax: number[];
  field: Box | null;
  before: { layer: string; shape: number[]; channels: number[]; window: Box | null };
}

/** What a map of the layer before adds to a unit: what is seen of it, times the kernel. */
export interface Channel {
  plane: number;
  channel: number;
  seen: number[][];
  weights: number[][];
  products: number[][];
  sum: number;
}

/** How a kernel goes over maps: by [rows, columns] a unit, from where for the first, how far its taps are apart. */
export interface Sweep {
  strides: number[];
  begin: number[];
  dilations: number[];
}

/** A layer's values as bytes, be it on the page or in a folded group. */
export interface Picture {
  layer: Layer;
  bytes: Uint8Array;
  low: number;
  high: number;
}

/** The network that a unit is shown in. */
export interface Scene {
  dark: boolean;
  /** Whether the window slides: what it has not reached yet is covered. */
  playing: boolean;
  picture: (layer: string) => Picture | null;
  /** The layer that takes a layer, where there is one alone. */
  after: (layer: string) => Layer | null;
}

/** /v1/backward: a unit's gradient, and the units behind it through which it acts. */
export interface GradientAnswer {
  layer: string;
  kind: string;
  unit: number[];
  gradient: number | null;
  output: boolean;
  weights: boolean;
  terms: { layer: string; unit: number[]; gradient: number; weight: number }[];
}

/** /v1/step: a kernel, [C, H, W], before and after one step; one weight's gradient as a sum. */
export interface StepAnswer {
  layer: string;
  unit: number[];
  rate: number;
  before: number[][][];
  gradient: number[][][];
  after: number[][][];
  weight: { plane: number; at: number[]; gradient: number; seen: number[]; slopes: number[] };
}

/** A training of /v1/trainings. */
export interface Training {
  id: string;
  status: string;
  model: string;
  kept: string | null;
  back: boolean; // whether there is a step to take back
  network: string;
  data: string;
  settings: Record<string, any>;
  weights: number; // how often they changed
  notes: string[];
  error: string | null;
  history: Record<string, number>[];
  points: Record<string, number>[];
  progress: Progress | null;
}

export interface Progress {
  epoch: number;
  epochs: number;
  batch: number;
  batches: number;
  examples_per_sec: number;
  seconds_left: number;
}

/** /v1/read of an image, or of one page of several. */
export interface ReadAnswer {
  lines: Line[];
  skipped?: { field?: string | null; box: number[]; reason: string }[];
  error?: string;
}

/** What /v1/read/inside says of a line; a step is two columns of the picture. */
export interface InsideLine {
  text: string;
  box: number[];
  /** base64, a byte a pixel, 32 rows. */
  picture: string;
  width: number;
  /** The last, an empty text, stands for nothing. */
  characters: string[];
  /** For each step a probability a character. */
  steps: number[][];
  digits: { char: string; first: number; last: number }[];
  /** The answer first. */
  texts: { text: string; probability: number }[];
  views: number;
}

export interface InsideAnswer {
  lines: InsideLine[];
  pictures: { name: string; picture: string }[];
}

/** A line of /v1/read; a box is [left, top, width, height] in pixels. */
export interface Line {
  text: string;
  raw: string | null;
  /** Of a template. */
  field?: string | null;
  value?: { cents?: any; decimal?: boolean; date?: string; dates?: string[]; zip?: string; iban?: string; code?: string } | null;
  status: string;
  confidence: number;
  box: number[];
  digits: { char: string; confidence: number; box: number[] }[];
}

// What the modules give to one another.

/** What follows the pointer over a layer; a unit is [map, row, column], or [unit] of a vector. */
export interface PointerHandlers {
  dark(): boolean;
  hover(layer: LayerView, unit: number[] | null, spoken?: boolean): void;
  leave(): void;
  pin(layer: LayerView, unit: number[]): void;
  current(layer: LayerView): number[] | null;
  /** Goes to another layer. */
  step(layer: LayerView, by: number): void;
}

/** A network on the page. */
export interface ShownNetwork {
  model: string;
  view: NetworkView;
}

/** A unit of a layer of a network on the page. */
export interface Place {
  net: number;
  layer: string;
  unit: number[];
  spoken?: boolean;
}

/** Planes of [C, H, W]. */
export interface Planes {
  shape: number[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** An image of a data set. */
export interface Sample {
  data: string;
  index: number;
}

/** How a page of digits is read. */
export interface ReadOptions {
  pattern: string;
  lines: boolean;
  maxError: number;
}

/** A field of the training form. */
export interface Field extends Option {
  group: "main" | "network" | "more";
  fallback: unknown;
  given: boolean;
  value: unknown;
}

/** What POST /v1/trainings takes. */
export interface Job {
  network: string;
  /** Of a network of one's own. */
  layers?: string;
  data: string;
  settings: Record<string, unknown>;
}

/** What a network makes of an image, and its kernels. */
export interface LiveView {
  training: Training;
  label: string | null;
  seen: Activations;
  kernels: KernelValues[];
}

export type Metric = "loss" | "train_acc" | "test_acc";

/** Points [epoch, value]: joined by the slot's colour and dashes, and by a thin line. */
export interface Series {
  slot: number;
  points: number[][];
  faint: number[][];
}

/** What a panel of curves shows. */
export interface Shown {
  series: Series[];
  epochs: number;
  /** The epoch that is pointed at. */
  at: number | null;
  /** What the vertical axis stays in, and what it spans at least. */
  bounds: number[];
  span: number;
  /** What it spans where there is no curve yet. */
  first: number[];
  /** What guessing gives: a line of its own. */
  chance: { value: number; label: string } | null;
  /** Of the horizontal axis. */
  label: string;
}

// What the larger parts are made with.

export interface PointingOptions {
  app: App;
  /** Those on the page. */
  nets: () => ShownNetwork[];
  picture: () => Upload;
  panel: () => UnitView;
  seen: ReturnType<typeof createInputImage>;
  /** Asks for the story of a unit, and returns what shows it. */
  explained: (net: ShownNetwork, place: Place, control: AbortController) => Promise<(pinned: boolean) => Unit | void>;
}

export interface DeskOptions {
  app: App;
  /** Where images may be dropped. */
  root: HTMLElement;
  /** What stands below the tools. */
  more: HTMLElement[];
  /** The chosen model, and who hears of every change, with its event's time. */
  on: { model: () => Model; changed: (stamp: number | null) => void };
}

export interface BackwardOptions {
  app: App;
  nets: () => ShownNetwork[];
  picture: () => Upload;
  panel: () => UnitView;
  model: () => Model;
  /** The label of the image, where it is known. */
  truth: () => string | null;
}

export interface UnitOptions {
  theme: { dark: boolean };
  state: UrlState;
  onPin: () => void;
  onClose: () => void;
  /** Explains a unit to begin with. */
  onVisit: (stop: keyof import("./unit/tour.js").Tour) => void;
  /** Goes to another unit; gives whether there are more. */
  move: (by: number) => Promise<boolean>;
}

export interface SlideOptions {
  move: (by: number) => Promise<boolean>;
  onPlay: (playing: boolean) => void;
}

export interface Slide {
  node: HTMLElement;
  stop: () => void;
  readonly playing: boolean;
}

/** CSS pixels that a network may take; `down`: from top to bottom; `whole`: all maps, however small. */
export interface Room {
  width: number;
  height: number;
  down: boolean;
  whole: boolean;
  /** Whether names may be shortened for it to fit. */
  squeeze?: boolean;
  /** How wide a layer's caption is: all of it, its name and kind, its name alone. */
  caption: (layer: Layer, own: string) => number[];
  /** How wide the name of a group is. */
  group: (name: string) => number;
}

/** Names with parts: `own`: what is left of each; `all`: what the columns from first to last begin with. */
export interface Groups {
  own: Map<string, string>;
  all: { name: string; first: number; last: number; open: boolean }[];
}

/** Where a layer's maps stand on the stage; `slot`: its column or row, and what is between two. */
export interface LayerPlace {
  x: number;
  y: number;
  width: number;
  height: number;
  geometry: Geometry;
  alone: boolean;
  slot: { start: number; extent: number; between: number };
}

export interface Plan {
  down: boolean;
  /** Whether captions are short. */
  low: boolean;
  /** Whether it is longer than the room. */
  scrolled: boolean;
  /** CSS pixels above the maps, or left of them. */
  head: number;
  /** Where captions begin. */
  top: number;
  /** CSS pixels along the network. */
  length: number;
  /** Where the room of the maps ends. */
  floor: number;
  /** What is left of each name below its group's. */
  own: Map<string, string>;
  groups: { name: string; left: number; right: number; open: boolean }[];
  /** How deep edges go below the maps, by from>to. */
  shortcuts: Map<string, number>;
  edges: string[][];
  places: Map<string, LayerPlace>;
}

/** What a unit depends on of a layer: `maps` null for all, `box` null for whole maps. */
export interface PathStep {
  layer: string;
  maps: number[] | null;
  box: Box | null;
}

/** Lines from boxes in maps of one layer to boxes in maps of another; a share colours each. */
export interface Link {
  from: string;
  to: string;
  pairs: number[][];
  box: Box | null;
  end: Box | null;
  kind: "nearest" | "further";
  shares?: number[];
}

export interface CaptionOptions {
  layer: Layer;
  /** Its name, as far as it stands there. */
  own: string;
  shown: number;
  room: number;
  brief: boolean;
  onKernels: (layer: string) => void;
  onKind: (layer: Layer) => void;
  onOpen: (group: string | null) => void;
}

export interface LayerOptions {
  layer: Layer;
  own: string;
  place: LayerPlace;
  plan: Plan;
  /** Tells what a kind of layer is. */
  onKind: (layer: Layer) => void;
  /** Opens a group of layers. */
  onOpen: (group: string | null) => void;
  /** Of its units, where they are the classes. */
  labels: string[] | null;
  on: PointerHandlers;
  /** Asks for the layer's kernels. */
  onKernels: (layer: string) => void;
}

export interface NetworkOptions {
  theme: { dark: boolean };
  on: PointerHandlers;
  /** Asks for a layer's kernels. */
  onKernels: (layer: string) => void;
  /** Tells what a kind of layer is. */
  onKind: (layer: Layer) => void;
  /** Explains a class's probability. */
  onClass: (index: number) => void;
  /** After the layers were made anew: their boxes are gone. */
  onRebuilt: () => void;
  /** Whether all maps are wanted, however small. */
  whole: () => boolean;
  /** The key of the group of layers that is open in a network too deep for the room; null for none. */
  open: () => string | null;
  /** Opens another group; null closes all. */
  onOpen: (group: string | null) => void;
}

export interface ActivationsOptions {
  api: Api;
  params: () => { model: string; maps: string | number };
  /** Paints the maps. */
  show: (answer: Activations, picture: Upload) => void;
  /** null where all is well again. */
  fail: (error: Error | null) => void;
}

export interface SamplesOptions {
  app: App;
  onChoose: (sample: Sample & { picture: string }) => void;
  /** Asks for others. */
  onMore: () => void;
}

export interface SheetOptions {
  source: Source;
  /** After each change, with its event's time. */
  onDraw: (stamp: number) => void;
  /** After the end of a stroke, undo, redo. */
  onDone: () => void;
}

export interface Sheet {
  node: HTMLElement;
  paint: () => void;
  invite: (text: string) => void;
  show: (image: { bitmap: ImageBitmap; inverted: boolean } | null) => void;
}

export interface ToolsOptions {
  source: Source;
  /** After a change of what is drawn. */
  onChange: (event: Event) => void;
  /** Gives what is on the sheet as a file. */
  save: () => void;
}

export interface ImageInputOptions {
  /** Where an image can be dropped; it has the class `dropping` while one hangs over it. */
  area: HTMLElement;
  /** Gets one image. */
  onImage?: (blob: Blob, name: string) => void;
  /** Gets all of them instead. */
  onImages?: (files: { blob: Blob; name: string }[]) => void;
  /** Gets what is wrong with what was given. */
  onError: (error: Error) => void;
}

/** A control of one option or setting. */
export interface Control {
  node: HTMLElement;
  input: HTMLInputElement | HTMLSelectElement;
  note: (text: string) => void;
  show: (now: { value: unknown; given: boolean }) => void;
}

/** What asks for activations; `stamp` is the time of the event that changed the image. */
export interface ActivationsRequest {
  ask: (picture: () => Upload, stamp: number | null) => void;
  off: () => void;
}

/** An image with boxes of lines; `load` gives null where the browser cannot show it. */
export interface ImageView {
  load: (url: string, name: string) => Promise<HTMLImageElement | null>;
  boxes: (lines: Line[]) => void;
  light: (index: number) => void;
}

export type BoxKind = "field" | "window" | "unit";

/** A canvas in a frame; `mark` draws a box on an image of this size, null takes it away. */
export interface Frame {
  node: HTMLElement;
  canvas: HTMLCanvasElement;
  mark: (box: Box | null, height: number, width: number) => void;
  /** Covers all from [row, column] on, in reading order; null for nothing. */
  cover: (from: number[] | null, height: number, width: number) => void;
}

/** A figure of one map of a layer with a box; null for the layer hides it. */
export interface MapFigure {
  node: HTMLElement;
  cover: Frame["cover"];
  show: (
    picture: Picture | null,
    map: number,
    box: Box | null,
    text: string,
    dark: boolean,
  ) => void;
}

/** What lies over a layer's maps. */
export interface Boxes {
  /** Draws a box in each of the maps, or takes the kind away for null. */
  mark: (kind: BoxKind, maps: number[], box: Box | null) => void;
  /** Hides all maps but some; none for null. */
  veil: (kept: number[] | null) => void;
}

/** Where layers stand; `alone` is one that has its column for itself. */
export interface Arrangement {
  columns: number;
  lanes: number;
  places: Map<string, { column: number; lane: number; alone: boolean }>;
  /** Names, [from, to]. */
  edges: string[][];
}

/** A layer that a learner put into a network. */
export interface BuiltLayer {
  kind: string;
  numbers: Record<string, number>;
}

/** A row of the layer table. */
export interface AnatomyRow {
  layer: AnatomyLayer;
  /** The same layer by default, where it differs. */
  was: AnatomyLayer | null;
  /** Whether by default there is none of its name. */
  fresh: boolean;
}

/** A row of the list of runs. */
export interface RunRow {
  training: Training;
  slot: number;
  shown: boolean;
  watched: boolean;
  name: string;
}

/** What a training form does. */
export interface FormHandlers {
  change: (name: string, value: string | boolean) => void;
  start: () => void;
  clear: () => void;
  lesson: (name: string) => void;
}
