/** Types of the page's modules, for the type check only: the server does not send this file. */

import type { Api } from "./api.js";
import type { LayerView } from "./network-layer.js";
import type { NetworkView } from "./network-view.js";
import type { Theme } from "./theme.js";
import type { UrlState } from "./url.js";

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
}

/** /v1/activations; `seen` is what the network was given. */
export interface Activations {
  classes: string[];
  probabilities: number[];
  layers: Layer[];
  seen: { shape: number[]; data: string };
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

/** A training of /v1/trainings. */
export interface Training {
  id: string;
  status: string;
  model: string;
  kept: string | null;
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

/** A line of /v1/read; a box is [left, top, width, height] in pixels. */
export interface Line {
  text: string;
  raw: string | null;
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
  /** Of the horizontal axis. */
  label: string;
}
