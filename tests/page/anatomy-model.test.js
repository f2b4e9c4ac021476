import assert from "node:assert/strict";
import { test } from "node:test";

import { drawnWith, fields, inputOf, query, rows } from "../../src/holmdel/server/page/anatomy/model.js";

const option = (name, value) => ({ name, type: "str", default: value, choices: null });
const network = {
  name: "lenet",
  options: [option("channels", 1), option("size", [28, 28]), option("activation", "sigmoid")],
};
const layer = (name, parameters) => ({
  name, kind: "conv", detail: "5x5", output: [6, 28, 28], parameters, connections: 0, macs: 0,
});

test("a network's options are fields, but for those that follow from the input", () => {
  const input = inputOf(network);
  assert.deepEqual(input, [1, 28, 28]);
  const form = fields(network, input, (name) => (name === "activation" ? "relu" : null));
  assert.deepEqual(form.map((field) => [field.name, field.value]), [["input", "1x28x28"], ["activation", "relu"]]);
  assert.deepEqual(query({ network: "lenet" }, form), { network: "lenet", activation: "relu" });
});

test("a model, which is built, has only its input to choose", () => {
  assert.deepEqual(fields(null, [3, 32, 32], () => null).map((field) => field.name), ["input"]);
});

test("rows say which layers differ from the defaults, and which are new", () => {
  const usual = { layers: [layer("c1", 156), layer("c3", 2416)] };
  const found = rows({ layers: [layer("c1", 156), layer("c3", 99), layer("norm", 12)] }, usual);
  assert.deepEqual(found.map((row) => [row.was?.parameters, row.fresh]), [[undefined, false], [2416, false], [undefined, true]]);
});

test("a layer that is not drawn is shown with the one whose output it takes", () => {
  const layers = [
    { name: "c1", inputs: ["input"] },
    { name: "relu1", inputs: ["c1"] },
    { name: "drop1", inputs: ["relu1"] },
  ];
  assert.deepEqual([...drawnWith(layers, new Set(["c1"]))], [["c1", "c1"], ["relu1", "c1"], ["drop1", "c1"]]);
});
