#!/usr/bin/env bash
# Installing OpenCV changes what imageio and scikit-image read: a PBM has three channels then, and the floats of a PFM are 0 or 1.
#
# Versions: imageio 2.38.1, opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: imageio has a list of plugins for each ending, and takes the first one that is installed. For .pbm and .pfm OpenCV comes before Pillow; for .png, .jpg, .pgm and .tif it does not. Pillow reads a PBM as booleans (H, W) and a PFM as float32.
# OpenCV by its plugin is asked for 8 bits and three channels: uint8 (H, W, 3), and of a PFM bytes, to which each float is rounded. scikit-image's imread calls imageio.
#
# Why a good guess is wrong: a program that never imports OpenCV is not expected to depend on whether some other package brought it. PNG, JPEG, TIFF and PGM are the same with it, so a test passes, on the machine with and on the one without. An image of 0 and 1 in bytes, of the right size, is what
# comes of a PFM, an image format for floats; and the PBMs of a scanner, or of pdfimages, are grey to one half of a pipeline and colour to the other.
#
# What a program like ours must do: name the plugin, imread(name, plugin="pillow"), or call Pillow; test with all optional packages installed and without.
#
# Seen (type, shape and first value; without OpenCV, with it, and with it and plugin="pillow"):
#   file  without           with                named
#   png   uint8 1x2 1       uint8 1x2 1         uint8 1x2 1
#   pgm   uint8 1x4 0       uint8 1x4 0         uint8 1x4 0
#   pbm   bool 1x8 1        uint8 1x8x3 255     bool 1x8 1
#   pfm   float32 1x2 0.6   uint8 1x2 1         float32 1x2 0.6
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 imageio==2.38.1

cd "$dir"
cat > read.py <<'PY'
import struct
import sys
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from PIL import Image

Path("a.pbm").write_bytes(b"P4\n8 1\n" + bytes([0b00011011]))
Path("a.pgm").write_bytes(b"P5\n4 1\n255\n" + bytes([0, 5, 10, 15]))
Path("a.pfm").write_bytes(b"Pf\n2 1\n-1.0\n" + struct.pack("<2f", 0.6, 0.2))
Image.fromarray(np.array([[1, 2]], np.uint8)).save("a.png")
options = {"plugin": "pillow"} if "pillow" in sys.argv else {}
for kind in ("png", "pgm", "pbm", "pfm"):
    array = imageio.imread(f"a.{kind}", **options)
    print(kind, array.dtype, "x".join(map(str, array.shape)), f"{array.flat[0]:g}")
PY
env/bin/python read.py > without
env/bin/pip install -qq --no-deps opencv-python-headless==5.0.0.93
env/bin/python read.py > with
env/bin/python read.py pillow > named
paste -d ',' without with named | sed 's/,[a-z]* /,/g; s/^\([a-z]*\) /\1,/' > seen
echo 'file,without,with,named' | cat - seen | while IFS=, read -r kind without with named; do
  printf '%-6s%-18s%-20s%s\n' "$kind" "$without" "$with" "$named"
done
[ "$(cat seen)" = "png,uint8 1x2 1,uint8 1x2 1,uint8 1x2 1
pgm,uint8 1x4 0,uint8 1x4 0,uint8 1x4 0
pbm,bool 1x8 1,uint8 1x8x3 255,bool 1x8 1
pfm,float32 1x2 0.6,uint8 1x2 1,float32 1x2 0.6" ]
