#!/usr/bin/env bash
# sharp, asked for the raw pixels of a 16-bit PNG as 16-bit numbers, gives 16-bit numbers of 0 to 255: the lower half of each pixel is gone, and a grey image has three channels.
#
# Versions: sharp 0.35.5, Node.js 20 or later.
#
# Behaviour: sharp ends each pipeline in sRGB of 8 bits, whatever went in, and raw({depth: "ushort"}) converts the result of that: 300 of 65535 becomes 1, and 1 is written in two bytes. info.depth says "ushort", metadata() of the file says so as well. "float" gives the same numbers as floats. greyscale()
# makes one channel, of 8 bits in value too. toColourspace("grey16") or "rgb16" before it keeps all 16, and the number of channels.
#
# Why a good guess is wrong: depth is the option for it, its name is the type of the file, and the array that comes back has the right type and as many bytes as 16 bits need. stats(), which reads the file before the pipeline, gives 16-bit figures of the same image. A scan that uses the whole range shows
# a picture that divides by 257 too often, black; one that was normalised by its own maximum shows the right picture, in steps.
#
# What a program like ours must do: name the colour space, sharp(file).toColourspace("grey16").raw({depth: "ushort"}), and compare the greatest number with stats().
#
# Seen (a grey PNG of 16 bits, of 0 300 20000 65535; channels, what info calls the depth, and the first channel):
#   the file                1 ushort greatest 65535
#   ushort                  3 ushort 0 1 78 255
#   float                   3 float 0 1 78 255
#   greyscale, ushort       1 ushort 0 1 78 255
#   grey16, ushort          1 ushort 0 300 20000 65535
#   rgb16, ushort           3 ushort 0 300 20000 65535
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund sharp@0.35.5 > /dev/null

cat > read.mjs <<'JS'
import sharp from "sharp";

const GREYS = Uint16Array.of(0, 300, 20000, 65535);
const raw = { width: 4, height: 1, channels: 1, depth: "ushort" };
const png = await sharp(GREYS, { raw }).toColourspace("grey16").png().toBuffer();
const made = await sharp(png).metadata();
const stats = await sharp(png).stats();
console.log("the file               ", made.channels, made.depth, "greatest", stats.channels[0].max);
const ways = {
  "ushort": (image) => image.raw({ depth: "ushort" }),
  "float": (image) => image.raw({ depth: "float" }),
  "greyscale, ushort": (image) => image.greyscale().raw({ depth: "ushort" }),
  "grey16, ushort": (image) => image.toColourspace("grey16").raw({ depth: "ushort" }),
  "rgb16, ushort": (image) => image.toColourspace("rgb16").raw({ depth: "ushort" }),
};
for (const [name, way] of Object.entries(ways)) {
  const { data, info } = await way(sharp(png)).toBuffer({ resolveWithObject: true });
  const bytes = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
  const values = info.depth === "float" ? new Float32Array(bytes) : new Uint16Array(bytes);
  const first = [...values].filter((_, index) => index % info.channels === 0);
  console.log(name.padEnd(23), info.channels, info.depth, first.join(" "));
}
JS
cat > described <<'TEXT'
the file                1 ushort greatest 65535
ushort                  3 ushort 0 1 78 255
float                   3 float 0 1 78 255
greyscale, ushort       1 ushort 0 1 78 255
grey16, ushort          1 ushort 0 300 20000 65535
rgb16, ushort           3 ushort 0 300 20000 65535
TEXT
node read.mjs | tee seen
diff described seen > /dev/null
