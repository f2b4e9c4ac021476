/** Layers as a learner puts them together, as text, and as PyTorch code. No DOM. */

/** @import { BuiltLayer } from "../types.d.ts" */

/** What each kind has numbers for, with what they begin with. */
export const NUMBERS = {
  conv: { channels: 16, kernel: 3, padding: 0, stride: 1 },
  maxpool: { kernel: 2, padding: 0, stride: 2 },
  avgpool: { kernel: 2, padding: 0, stride: 2 },
  relu: {}, sigmoid: {}, tanh: {}, leakyrelu: {}, gelu: {},
  batchnorm: {}, dropout: {}, flatten: {},
  linear: { units: 84 },
};

export const LENET =
  "conv 6 5 p2; sigmoid; avgpool 2; conv 16 5; sigmoid; avgpool 2; flatten; linear 120; sigmoid; linear 84; sigmoid; linear 10";

const MARKS = { padding: "p", stride: "s" };
const CLASSES = {
  relu: "ReLU", sigmoid: "Sigmoid", tanh: "Tanh", leakyrelu: "LeakyReLU", gelu: "GELU",
  batchnorm: "BatchNorm2d", dropout: "Dropout", flatten: "Flatten",
};

/** What a number is where it is not written: a pooling moves by its window. */
function usual(kind, name, numbers) {
  if (name === "stride") return kind === "conv" ? 1 : numbers.kernel;
  return name === "padding" ? 0 : NUMBERS[kind][name];
}

/**
 * @param {string} text such as "conv 6 5 p2; relu"
 * @returns {BuiltLayer[]} its layers; what is no layer is left out.
 */
export function parseLayers(text) {
  return text.split(";").map((line) => line.trim().split(/\s+/)).filter(([kind]) => kind in NUMBERS).map(([kind, ...words]) => {
    const plain = words.filter((word) => /^\d+$/.test(word)).map(Number);
    const marked = (name) => words.find((word) => word.startsWith(MARKS[name]))?.slice(1);
    const numbers = {};
    for (const name of Object.keys(NUMBERS[kind])) {
      numbers[name] = name in MARKS ? Number(marked(name) ?? usual(kind, name, numbers)) : (plain.shift() ?? NUMBERS[kind][name]);
    }
    return { kind, numbers };
  });
}

/** @param {BuiltLayer[]} layers @returns {string} as `parseLayers` takes it. */
export function writeLayers(layers) {
  return layers.map(({ kind, numbers }) => {
    const words = Object.entries(numbers).flatMap(([name, value]) => {
      if (!(name in MARKS)) return [String(value)];
      return value === usual(kind, name, numbers) ? [] : [MARKS[name] + value];
    });
    return [kind, ...words].join(" ");
  }).join("; ");
}

/** @returns {BuiltLayer} a layer of a kind as it begins. */
export function freshLayer(kind) {
  return { kind, numbers: { ...NUMBERS[kind] } };
}

/**
 * @param {BuiltLayer[]} layers
 * @param {number[]} input [C, H, W]
 * @param {{output: number[]}[]} rows what each gives, of /v1/anatomy; empty where that is not known
 * @returns {{torch: string, book: string}} the network in PyTorch, and in the book's form, whose
 *   layers find their inputs themselves.
 */
export function codeOf(layers, input, rows) {
  const line = (own) => layers.map((layer, i) => `    ${own(layer, i ? (rows[i - 1]?.output ?? []) : input)},`).join("\n");
  const torch = `import torch\nfrom torch import nn\n\nnet = nn.Sequential(\n${line(plainLayer)}\n)\nnet(torch.zeros(1, ${input.join(", ")})).shape\n`;
  const book = `from torch import nn\nfrom d2l import torch as d2l\n\nclass Net(d2l.Classifier):\n    def __init__(self, lr=0.1):\n        super().__init__()\n        self.save_hyperparameters()\n        self.net = nn.Sequential(\n${line(lazyLayer).replaceAll(/^/gm, "        ")}\n        )\n`;
  return { torch, book };
}

function plainLayer({ kind, numbers }, [first]) {
  if (kind === "conv") return `nn.Conv2d(${first ?? "?"}, ${numbers.channels}, ${sliding(kind, numbers)})`;
  if (kind === "linear") return `nn.Linear(${first ?? "?"}, ${numbers.units})`;
  return otherLayer(kind, numbers, kind === "batchnorm" ? `${first ?? "?"}` : "");
}

function lazyLayer({ kind, numbers }) {
  if (kind === "conv") return `nn.LazyConv2d(${numbers.channels}, ${sliding(kind, numbers, true)})`;
  if (kind === "linear") return `nn.LazyLinear(${numbers.units})`;
  return kind === "batchnorm" ? "nn.LazyBatchNorm2d()" : otherLayer(kind, numbers, "");
}

function otherLayer(kind, numbers, inside) {
  if (kind === "maxpool" || kind === "avgpool") return `nn.${kind === "maxpool" ? "Max" : "Avg"}Pool2d(${sliding(kind, numbers)})`;
  return `nn.${CLASSES[kind]}(${inside})`;
}

function sliding(kind, numbers, named = false) {
  const more = ["stride", "padding"].filter((name) => numbers[name] !== usual(kind, name, numbers));
  return [named ? `kernel_size=${numbers.kernel}` : numbers.kernel, ...more.map((name) => `${name}=${numbers[name]}`)].join(", ");
}
