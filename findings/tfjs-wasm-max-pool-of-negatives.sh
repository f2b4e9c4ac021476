#!/usr/bin/env bash
# TensorFlow.js on WebAssembly: the greatest of negative numbers is 1.2e-38 in a three-dimensional max pooling, a pooling with dimRoundingMode "ceil" is out of place, and 0.3 as a boolean is false.
#
# Versions: @tensorflow/tfjs 4.22.0, @tensorflow/tfjs-backend-wasm 4.22.0, Node.js 20 or later.
#
# Behaviour: the same program has other numbers on the backend "wasm" than on "cpu". maxPool3d of a window in which all is negative is 1.2e-38, the least positive normal float, from which it seems to begin; maxPool is right. With a padding given as a number and dimRoundingMode "ceil" or "round", where the size is rounded up, maxPool, avgPool and conv2d announce the shape that
# was asked for, compute as many windows as rounding down gives, and write them one after another into the larger array: the second row begins in the first, and the end is what the memory held before. cast to "bool" cuts the fraction off and keeps the lower byte: 0.3 is false, and -1 is 255, which is true but not equal to 1. log1p(x) of a small x
# is log(1 + x), with the digits that 1 + x has lost.
#
# Why a good guess is wrong: a backend is chosen for its speed, and tests run on one. Behind a ReLU no number is negative, so that the pooling is right in most networks and wrong in those that pool before it. There is no error, and the shape is right.
#
# What a program like ours must do: pool by maxPool over each plane and then the greatest of planes, pad by itself so that nothing is to be rounded, compare with 0 in place of a cast; and compare a network's answers on the backend that is used.
#
# Seen (1 to 16 as a 4x4 image; the same negated as a cube of 2x2x4; the first number only where the rest is what memory held):
#   way                                        cpu            wasm
#   maxPool3d of 2, of the negated             -1 -3          1.2e-38 1.2e-38
#   maxPool of 2, of the negated               -1 -3 -9 -11   -1 -3 -9 -11
#   maxPool of 3, stride 2, floor              11             11
#   maxPool of 3, stride 2, ceil               11 12 15 16    11 and others
#   conv2d of 3 ones, stride 2, ceil           54 45 72 54    54 and others
#   cast of -1 0 0.3 2 to bool                 1 0 1 1        255 0 0 2
#   log1p of a millionth, times a million      1.0000         0.9537
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 > /dev/null

cat > both.mjs <<'JS'
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";

const image = () => tf.range(1, 17).reshape([1, 4, 4, 1]);
const text = (tensor) => [...tensor.dataSync()].join(" ");
const short = (tensor) => [...tensor.dataSync()].map((value) => Number(value.toPrecision(2))).join(" ");
const RIGHT = { pool: "11 12 15 16", conv: "54 45 72 54" };
const placed = (tensor, right) => {
  const [first, ...rest] = tensor.dataSync();
  const all = [first, ...rest].join(" ");
  return all === right ? all : `${first} and others`;
};
const ways = {
  "maxPool3d of 2, of the negated": () => short(tf.maxPool3d(tf.neg(tf.range(1, 17)).reshape([1, 2, 2, 4, 1]), 2, 2, "valid")),
  "maxPool of 2, of the negated": () => text(tf.maxPool(tf.neg(image()), 2, 2, "valid")),
  "maxPool of 3, stride 2, floor": () => text(tf.maxPool(image(), 3, 2, 0, "floor")),
  "maxPool of 3, stride 2, ceil": () => placed(tf.maxPool(image(), 3, 2, 0, "ceil"), RIGHT.pool),
  "conv2d of 3 ones, stride 2, ceil": () => placed(tf.conv2d(image(), tf.ones([3, 3, 1, 1]), 2, 0, "NHWC", 1, "ceil"), RIGHT.conv),
  "cast of -1 0 0.3 2 to bool": () => text(tf.cast(tf.tensor1d([-1, 0, 0.3, 2]), "bool")),
  "log1p of a millionth, times a million": () => tf.log1p(tf.tensor1d([1e-6])).mul(1e6).dataSync()[0].toFixed(4),
};
const seen = {};
for (const backend of ["cpu", "wasm"]) {
  await tf.setBackend(backend);
  for (const [name, way] of Object.entries(ways)) (seen[name] ??= []).push(way());
}
for (const [name, [cpu, wasm]] of Object.entries(seen)) console.log(`| ${name.padEnd(42)} ${cpu.padEnd(14)} ${wasm}`);
JS
cat > described <<'TEXT'
| maxPool3d of 2, of the negated             -1 -3          1.2e-38 1.2e-38
| maxPool of 2, of the negated               -1 -3 -9 -11   -1 -3 -9 -11
| maxPool of 3, stride 2, floor              11             11
| maxPool of 3, stride 2, ceil               11 12 15 16    11 and others
| conv2d of 3 ones, stride 2, ceil           54 45 72 54    54 and others
| cast of -1 0 0.3 2 to bool                 1 0 1 1        255 0 0 2
| log1p of a millionth, times a million      1.0000         0.9537
TEXT
node both.mjs 2> errors | grep '^|' | tee seen || { cat errors >&2; exit 1; }
diff described seen > /dev/null
