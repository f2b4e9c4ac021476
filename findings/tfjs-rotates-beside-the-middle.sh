#!/usr/bin/env bash
# TensorFlow.js rotates an image about a point half a pixel beside its middle: turned by 180 degrees it has moved by a pixel, and a row and a column are gone.
#
# Versions: @tensorflow/tfjs 4.22.0, Node.js 20 or later.
#
# Behaviour: tf.image.rotateWithOffset takes the centre as a fraction of width and height, 0.5 by default, and uses it as the index of a pixel: 2 of an image of 4 pixels, whose indexes are 0 to 3 and whose middle is 1.5. By 180 degrees pixel i comes from 4 - i: pixel 0 from outside, which is filled, and the
# first row and column of the image are nowhere. By 90 degrees one axis is off by a pixel. With small angles it is a shift by a fraction, the angle in radians times half a pixel. A centre of (size - 1) / 2 / size is right. The angle is in radians and against the clock.
#
# Why a good guess is wrong: the middle is 0.5 in any unit but indexes. An augmentation that rotates by some degrees works as well as without a shift, and digits have margins, so nothing is cut that one sees; four quarter turns, which should give the image back, move it and take its edge,
# and answers that are averaged over the four turns of an image are those of four images that do not lie on each other.
#
# What a program like ours must do: give the centre as (size - 1) / (2 size) for each axis, or flip and transpose for quarter turns.
#
# Seen (rows of 1 2 3 / 4 5 6 / 7 8 9 after the turn):
#   0 degrees               1 2 3 / 4 5 6 / 7 8 9
#   180 degrees             0 0 0 / 0 9 8 / 0 6 5
#   90 degrees              0 0 0 / 3 6 9 / 2 5 8
#   four times 90 degrees   0 0 0 / 0 5 6 / 0 8 9
#   180, centre of 1/3      9 8 7 / 6 5 4 / 3 2 1
#   90, centre of 1/3       3 6 9 / 2 5 8 / 1 4 7
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0 > /dev/null

cat > turn.mjs <<'JS'
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const image = tf.range(1, 10).reshape([1, 3, 3, 1]);
const turned = (angle, centre) => tf.image.rotateWithOffset(image, angle, 0, centre);
const text = (batch) => batch.reshape([3, 3]).arraySync().map((row) => row.join(" ")).join(" / ");
let four = image;
for (let turn = 0; turn < 4; turn++) four = tf.image.rotateWithOffset(four, Math.PI / 2);
console.log("0 degrees              ", text(turned(0)));
console.log("180 degrees            ", text(turned(Math.PI)));
console.log("90 degrees             ", text(turned(Math.PI / 2)));
console.log("four times 90 degrees  ", text(four));
console.log("180, centre of 1/3     ", text(turned(Math.PI, 1 / 3)));
console.log("90, centre of 1/3      ", text(turned(Math.PI / 2, 1 / 3)));
JS
cat > described <<'TEXT'
0 degrees               1 2 3 / 4 5 6 / 7 8 9
180 degrees             0 0 0 / 0 9 8 / 0 6 5
90 degrees              0 0 0 / 3 6 9 / 2 5 8
four times 90 degrees   0 0 0 / 0 5 6 / 0 8 9
180, centre of 1/3      9 8 7 / 6 5 4 / 3 2 1
90, centre of 1/3       3 6 9 / 2 5 8 / 1 4 7
TEXT
node turn.mjs 2> errors | grep -E '^(0|180|90|four)' | tee seen || { cat errors >&2; exit 1; }
diff described seen > /dev/null
