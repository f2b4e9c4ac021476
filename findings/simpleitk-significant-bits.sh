#!/usr/bin/env bash
# SimpleITK divides the greys of a PNG by what its sBIT chunk says, reads the bits of half floats as integers, and half of each row of a TIFF of grey and alpha.
#
# Versions: simpleitk 2.5.7, tifffile 2026.3.3, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: sBIT says with how many bits a PNG's pixels were made, 12 for a camera or a scanner; the pixels are stored scaled to 16, or 8. ReadImage shifts them back: 65520 becomes 4095, and of a scan with sBIT of 1 in 8 bits 255 becomes 1. A TIFF of half floats comes as uint16, their bits: 1.0 is 15360. Of a
# TIFF of grey and alpha it keeps the shape of the grey, and fills each row with grey and alpha by turns, from the first half of it. A tiled TIFF of one grey channel has four channels of 8 bits, whatever it had; of this alone it warns.
#
# Why a good guess is wrong: for medical images SimpleITK is the reader that keeps values and spacing, and it reads 16-bit PNG, float TIFF and colour rightly. sBIT is a chunk for information that other readers pass over; the same image, without it, has other values, and no viewer shows which of the two files one has.
#
# What a program like ours must do: read PNG and TIFF by their own libraries; with SimpleITK compare type and shape with the file's header.
#
# Seen (as read; the values are those of the file in OpenCV or tifffile):
#   file                   stored                               SimpleITK
#   PNG, 16 bits           uint16 1x4: 0 16 4096 65520          uint16 1x4: 0 16 4096 65520
#   PNG, 16 bits, sBIT 12  uint16 1x4: 0 16 4096 65520          uint16 1x4: 0 1 256 4095
#   PNG, 8 bits, sBIT 1    uint8 1x4: 0 255 255 0               uint8 1x4: 0 1 1 0
#   TIFF, float32          float32 1x4: 0.25 0.5 1 2            float32 1x4: 0.25 0.5 1 2
#   TIFF, float16          float16 1x4: 0.25 0.5 1 2            uint16 1x4: 13312 14336 15360 16384
#   TIFF, grey and alpha   uint8 3x4x2: 1 255 2 255             uint8 3x4: 1 255 2 255
#   TIFF, 16 bits          uint16 16x16: 0 256 512 768          uint16 16x16: 0 256 512 768
#   TIFF, 16 bits, tiled   uint16 16x16: 0 256 512 768          uint8 16x16x4: 0 0 0 255
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 tifffile==2026.3.3 simpleitk==2.5.7
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
env/bin/python - 2> errors <<'PY' || { cat errors >&2; exit 1; }
import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import SimpleITK
import tifffile


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(greys, depth, significant=None):
    head = struct.pack(">IIBBBBB", len(greys), 1, depth, 0, 0, 0, 0)
    row = b"\0" + struct.pack(f">{len(greys)}{'H' if depth == 16 else 'B'}", *greys)
    told = chunk(b"sBIT", bytes([significant])) if significant else b""
    data = chunk(b"IHDR", head) + told + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return "a.png", cv2.imread("a.png", cv2.IMREAD_UNCHANGED)


def tiff(array, **options):
    tifffile.imwrite("a.tif", array, photometric="minisblack", **options)
    return "a.tif", tifffile.imread("a.tif")


def text(array):
    values = " ".join(f"{value:g}" for value in array.ravel()[:4])
    return f"{array.dtype} {'x'.join(map(str, array.shape))}: {values}"


GREY = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16) * 256
CASES = {
    "PNG, 16 bits": (lambda: png([0, 16, 4096, 65520], 16), ""),
    "PNG, 16 bits, sBIT 12": (lambda: png([0, 16, 4096, 65520], 16, 12), "uint16 1x4: 0 1 256 4095"),
    "PNG, 8 bits, sBIT 1": (lambda: png([0, 255, 255, 0], 8, 1), "uint8 1x4: 0 1 1 0"),
    "TIFF, float32": (lambda: tiff(np.array([[0.25, 0.5, 1, 2]], np.float32)), ""),
    "TIFF, float16": (lambda: tiff(np.array([[0.25, 0.5, 1, 2]], np.float16)), "uint16 1x4: 13312 14336 15360 16384"),
    "TIFF, grey and alpha": (
        lambda: tiff(np.dstack([GREY, 0 * GREY + 255]), extrasamples=["unassalpha"], planarconfig="contig"),
        "uint8 3x4: 1 255 2 255",
    ),
    "TIFF, 16 bits": (lambda: tiff(RAMP), ""),
    "TIFF, 16 bits, tiled": (lambda: tiff(RAMP, tile=(16, 16)), "uint8 16x16x4: 0 0 0 255"),
}
same = True
print(f"{'file':23}{'stored':37}SimpleITK")
for name, (write, described) in CASES.items():
    path, stored = write()
    seen = text(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)))
    print(f"{name:23}{text(stored):37}{seen}")
    same &= seen == (described or text(stored))
sys.exit(not same)
PY
