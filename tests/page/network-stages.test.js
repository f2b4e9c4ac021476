import assert from "node:assert/strict";
import { test } from "node:test";

import { shortForms } from "../../src/holmdel/server/page/network/groups.js";
import { ALL, around, fold, groupOf } from "../../src/holmdel/server/page/network/stages.js";

const chain = (names) =>
  names.map((name, i) => ({ name, kind: /pool/.test(name) ? "MaxPool2d" : "Conv2d", shape: i + 1 < names.length ? [8, 7, 7] : [10], shown: 8, inputs: i ? [names[i - 1]] : [] }));
const block = (name) => ["conv1", "norm1", "relu1", "conv2", "norm2", "relu2"].map((part) => `${name}.${part}`);
const RESNET = chain(["input", "conv", "norm", "relu", "pool", ...["stage1", "stage2"].flatMap((stage) => ["block1", "block2"].flatMap((part) => block(`${stage}.${part}`))), "output"]);
const shown = (layers) => layers.map(({ name, stage }) => stage?.key ?? name);

test("the stages of a network are folded, each into its last layer", () => {
  const folded = fold(RESNET, null);
  assert.deepEqual(shown(folded), ["input", "conv\u2013pool", "stage1", "stage2", "output"]);
  assert.deepEqual(folded.map(({ name }) => name), ["input", "pool", "stage1.block2.relu2", "stage2.block2.relu2", "output"]);
  assert.deepEqual(folded.map(({ stage }) => stage?.members.length ?? 0), [0, 4, 12, 12, 0]);
  assert.deepEqual(folded[3].inputs, ["stage1.block2.relu2"]);
});

test("a stage opens into its blocks where it is long, a block into its layers", () => {
  assert.deepEqual(shown(fold(RESNET, "stage1")), ["input", "conv\u2013pool", "stage1.block1", "stage1.block2", "stage2", "output"]);
  const block1 = fold(RESNET, "stage1.block1");
  assert.deepEqual(shown(block1).slice(2, 9), [...block("stage1.block1"), "stage1.block2"]);
  assert.deepEqual(block1[2].within, "stage1.block1");
  assert.equal(around("stage1.block1"), "stage1");
  assert.equal(around("stage1"), null);
  assert.deepEqual(fold(RESNET, ALL), RESNET);
});

test("in a narrow room all before what is open is one, and all behind", () => {
  const folded = fold(RESNET, "stage1.block2", true);
  assert.deepEqual(shown(folded), ["input", "conv\u2013stage1.block1", ...block("stage1.block2"), "stage2", "output"]);
  assert.equal(folded[1].stage.opens, "stage1");
  assert.deepEqual(folded[2].inputs, ["stage1.block1.relu2"]);
});

test("every layer is found by opening its group", () => {
  for (const { name } of RESNET) {
    const open = groupOf(RESNET, name);
    assert.ok(fold(RESNET, open).some((layer) => layer.name === name && !layer.stage), `${name} in ${open}`);
  }
  assert.equal(groupOf(RESNET, "stage2.block1.conv2"), "stage2.block1");
});

test("inception3a and inception3b are parts of inception3; branches count once", () => {
  const paths = (name) => [`${name}.path1.conv`, `${name}.path2.reduce`, `${name}.path2.conv`, `${name}.cat`];
  const layers = chain(["input", "pool1", ...paths("inception3a"), ...paths("inception3b"), "output"]);
  assert.deepEqual(shown(fold(layers, null)), ["input", "pool1", "inception3", "output"]);
  assert.equal(groupOf(layers, "inception3b.path2.conv"), "inception3");
  assert.equal(around("inception3b"), "inception3");
});

test("names of groups have short forms", () => {
  assert.deepEqual(shortForms("stage1.block2"), ["s1.block2", "s1.b2"]);
  assert.deepEqual(shortForms("stage1.block2.add").pop(), "s1.b2.add");
});
