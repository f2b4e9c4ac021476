#!/usr/bin/env bash
# geotiff.js shows a min-is-white scan with black paper: of all greys, the pure white alone becomes black.
#
# Versions: geotiff 3.0.5, Node.js 20 or later; files by tifffile 2026.3.3, numpy 2.4.6.
#
# Behaviour: readRGB turns a grey image into colour, and a TIFF whose 0 is white round on the way. It computes 256 - value where 255 - value is meant: 215 becomes 41 and not 40, 254 becomes 2 and not 1, and 0, the white of the paper,
# becomes 256, of which one byte keeps 0. Of 16 bits the upper 8 are treated so, and 0 is black there as well. A min-is-black file, and the same pixels read by readRasters (which turns nothing round, and says so), are right. Floats between 0 and 1
# are divided by 2^32 and are black, all of them.
#
# Why a good guess is wrong: readRGB is the method that knows what the numbers mean. With a photograph, or a scan whose paper is a light grey, the picture is right to within one grey level of 255, and so is a comparison with another reader that allows for that. A clean scan, whose paper is
# white everywhere, is nearly all black, with grey edges around the writing where it was smooth: it looks like the negative, which is what one then makes of it, and has black edges around white writing.
#
# What a program like ours must do: read the stored numbers (readRasters), ask for PhotometricInterpretation, and subtract from 255 or 65535 itself.
#
# Seen (the red of four pixels, whose greys are 0 40 214 255 in each file):
#   8 bits, black is 0    0 40 214 255
#   8 bits, white is 0    1 41 215 0
#   16 bits, black is 0   0 40 214 255
#   16 bits, white is 0   0 40 214 0
#   floats of 0 to 1      0 0 0 0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install -qq numpy==2.4.6 tifffile==2026.3.3
npm install --silent --no-audit --no-fund geotiff@3.0.5 > /dev/null

env/bin/python - <<'PY'
import numpy as np
import tifffile

GREYS = np.array([[0, 40, 214, 255]])
bytes_, words = GREYS.astype(np.uint8), (GREYS * 257).astype(np.uint16)
tifffile.imwrite("8 bits, black is 0.tif", bytes_, photometric="minisblack")
tifffile.imwrite("8 bits, white is 0.tif", 255 - bytes_, photometric="miniswhite")
tifffile.imwrite("16 bits, black is 0.tif", words, photometric="minisblack")
tifffile.imwrite("16 bits, white is 0.tif", 65535 - words, photometric="miniswhite")
tifffile.imwrite("floats of 0 to 1.tif", (GREYS / 255).astype(np.float32), photometric="minisblack")
PY
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { fromArrayBuffer } from "geotiff";

const NAMES = ["8 bits, black is 0", "8 bits, white is 0", "16 bits, black is 0", "16 bits, white is 0", "floats of 0 to 1"];
for (const name of NAMES) {
  const file = readFileSync(`${name}.tif`);
  const tiff = await fromArrayBuffer(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  const [red] = await (await tiff.getImage()).readRGB();
  console.log(name.padEnd(21), [...red].join(" "));
}
JS
cat > described <<'TEXT'
8 bits, black is 0    0 40 214 255
8 bits, white is 0    1 41 215 0
16 bits, black is 0   0 40 214 255
16 bits, white is 0   0 40 214 0
floats of 0 to 1      0 0 0 0
TEXT
node read.mjs | tee seen
diff described seen > /dev/null
