/** Types of an exported page's modules, for the type check only. */

import type { AnatomyLayer, Model } from "../../server/page/types.d.ts";

export interface Value {
  shape: number[];
  data: Float64Array;
}

/** An operator; `at` holds its attributes, axes counted without N. */
export interface Step {
  op: string;
  inputs: string[];
  output: string;
  layer: string;
  at: Record<string, any>;
}

export interface Graph {
  input: string;
  first: string; // the network's own input
  nodes: Step[];
  shapes: Record<string, number[]>;
  constants: Record<string, [number[], number]>; // shape, and where it begins in the weights
  layers: Record<string, string>;
}

export interface Page {
  version: string;
  model: Model;
  rows: AnatomyLayer[];
  graph: Graph;
}

export interface Contract {
  stored: number[];
  framing: string;
}

export interface Framed {
  pixels: Uint8Array;
  found: string;
}
