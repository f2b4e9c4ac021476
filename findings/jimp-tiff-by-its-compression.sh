#!/usr/bin/env bash
# Jimp and UTIF read a grey TIFF that holds a JPEG three times too wide, floats with a predictor as black, and colours stored plane by plane as neighbours of one plane.
#
# Versions: jimp 1.6.1, utif2 4.1.0, Node.js 20 or later; files by tifffile 2026.3.3 with imagecodecs 2026.3.6, numpy 2.4.6.
#
# Behaviour: UTIF, and Jimp by it, unpack a JPEG inside of a TIFF to three numbers a pixel, and read them as the one a pixel that the file states: each pixel stands there three times, a row fills three rows, and the lower two thirds of the image are gone. The predictor for floats (3), by which differences of bytes are
# stored, is passed over, and what is left is nearly 0 as floats. A file whose planes of red, green and blue are stored one after another is read as if they were stored by pixel: three neighbours of the red plane are the colours of the first pixel, and two thirds of the image are black. Signed numbers of 16 bits are taken for
# unsigned: -100 is white.
#
# Why a good guess is wrong: all that scanners usually write is right: bits and bytes, LZW, min-is-white, 16 bits, floats without a predictor. No error is raised and the size is right. Which tags a reader heeds is not seen from an image that it gives, and Jimp says of TIFF no more than that it reads it.
#
# What a program like ours must do: ask for the tags before the pixels (259 compression, 284 planes, 317 predictor, 339 format), and refuse what the reader does not heed.
#
# Seen (the red of every eighth pixel of the first and of the second row, whose greys are 0 40 80 120 160 200 230 255; Jimp's are the same as UTIF's in each case):
#   bytes                  0 40 80 120 160 200 230 255    0 40 80 120 160 200 230 255
#   a JPEG                 0 0 0 40 40 40 80 80           80 120 120 120 160 160 160 200
#   floats                 0 40 80 120 160 200 230 255    0 40 80 120 160 200 230 255
#   floats, predictor      0 0 0 0 0 0 0 0                0 0 0 0 0 0 0 0
#   colours                0 40 80 120 160 200 230 255    0 40 80 120 160 200 230 255
#   colours, by planes     40 160 255 80 200 0 120 230    40 160 255 80 200 0 120 230
#   signed, -100 and more  255 255 255 0 0 0 0 0          255 255 255 0 0 0 0 0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install -qq numpy==2.4.6 tifffile==2026.3.3 imagecodecs==2026.3.6
npm install --silent --no-audit --no-fund jimp@1.6.1 utif2@4.1.0 > /dev/null

env/bin/python - <<'PY'
import numpy as np
import tifffile

GREYS = np.tile(np.repeat(np.array([0, 40, 80, 120, 160, 200, 230, 255], np.uint8), 8), (16, 1))
FLOATS = (GREYS / 255).astype(np.float32)
PLANES = np.stack([GREYS, GREYS // 2, GREYS // 4])
GREY = {"photometric": "minisblack"}
tifffile.imwrite("bytes.tif", GREYS, **GREY)
tifffile.imwrite("a JPEG.tif", GREYS, **GREY, compression="jpeg", compressionargs={"level": 100})
tifffile.imwrite("floats.tif", FLOATS, **GREY, compression="zlib")
tifffile.imwrite("floats, predictor.tif", FLOATS, **GREY, compression="zlib", predictor=3)
tifffile.imwrite("colours.tif", np.moveaxis(PLANES, 0, 2), photometric="rgb")
tifffile.imwrite("colours, by planes.tif", PLANES, photometric="rgb", planarconfig="separate")
tifffile.imwrite("signed, -100 and more.tif", GREYS.astype(np.int16) - 100, **GREY)
PY
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { Jimp } from "jimp";
import UTIF from "utif2";

const NAMES = ["bytes", "a JPEG", "floats", "floats, predictor", "colours", "colours, by planes", "signed, -100 and more"];
const row = (data, y) => Array.from({ length: 8 }, (_, step) => data[4 * (64 * y + 8 * step + 4)]).join(" ");
for (const name of NAMES) {
  const file = readFileSync(`${name}.tif`);
  const [page] = UTIF.decode(file);
  UTIF.decodeImage(file, page);
  const pixels = UTIF.toRGBA8(page);
  const { bitmap } = await Jimp.fromBuffer(file);
  const alike = [0, 1].every((y) => row(pixels, y) === row(bitmap.data, y));
  console.log(`| ${name.padEnd(22)} ${row(pixels, 0).padEnd(30)} ${row(pixels, 1)}${alike ? "" : "; Jimp otherwise"}`);
}
JS
cat > described <<'TEXT'
| bytes                  0 40 80 120 160 200 230 255    0 40 80 120 160 200 230 255
| a JPEG                 0 0 0 40 40 40 80 80           80 120 120 120 160 160 160 200
| floats                 0 40 80 120 160 200 230 255    0 40 80 120 160 200 230 255
| floats, predictor      0 0 0 0 0 0 0 0                0 0 0 0 0 0 0 0
| colours                0 40 80 120 160 200 230 255    0 40 80 120 160 200 230 255
| colours, by planes     40 160 255 80 200 0 120 230    40 160 255 80 200 0 120 230
| signed, -100 and more  255 255 255 0 0 0 0 0          255 255 255 0 0 0 0 0
TEXT
node read.mjs | grep '^|' | tee seen
diff described seen > /dev/null
