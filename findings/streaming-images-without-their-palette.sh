#!/usr/bin/env bash
# Streaming (MosaicML) and LitData store a Pillow image without its palette, and Streaming the file of a JPEG in place of the image that was edited; a label too large for its column is another label.
#
# Versions: mosaicml-streaming 0.13.0, litdata 0.2.76, pillow 13.0.0, torch 2.13.0, numpy 2.1.3 (Streaming asks for one below 2.2).
#
# Behaviour: the column type "pil" of Streaming, and what LitData makes of a Pillow image, is the mode, the size and the bytes of the pixels. Of an image of mode P the bytes are entries of the palette, and the palette is not stored: the image that comes back has mode P and an empty palette: it is black, or by its entries nearly so. The column type "png" keeps it. The column type "jpeg" copies the
# file by the name that Pillow keeps in an image from open(): what was drawn or pasted since is not stored. A NumPy integer that is too large for its column is taken modulo 2^32, where a Python integer raises an error; an array of big-endian numbers comes back with the bytes of each number swapped.
#
# Why a good guess is wrong: "pil" sounds like the image as Pillow has it, and modes L, 1, LA, I;16 and F come back exactly. Scans in two to sixteen greys are PNG files with a palette, often with white as the first entry: they come back black, and np.asarray gives the entries, 0 for paper, which is a negative that a network for white digits on black reads.
#
# What a program like ours must do: convert("L") before storing, or store "png"; give Python integers and native arrays.
#
# Seen (a page of paper 255, grey 120 and ink 0, of palette 255 120 0; the JPEG was painted with 99):
#   what                                      stored          comes back
#   Streaming, pil, grey                      255 120 0       255 120 0
#   Streaming, pil, palette                   255 120 0       0 0 0
#   Streaming, png, palette                   255 120 0       255 120 0
#   LitData, palette                          255 120 0       0 0 0
#   Streaming, jpeg, painted                  99              255
#   Streaming, int32, NumPy's 2^32 + 7        4294967303      7
#   Streaming, int32, Python's 2^32 + 7       4294967303      refused
#   Streaming, ndarray, big-endian            1 2             256 512
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.1.3 pillow==13.0.0 torch==2.13.0 mosaicml-streaming==0.13.0 litdata==0.2.76
# Streaming imports two names of torchvision, for data sets that are not used here; a torchvision built for another device than torch cannot be imported.
mkdir -p "$dir/stand-in/torchvision/transforms"
echo 'VisionDataset = object' > "$dir/stand-in/torchvision/datasets.py"
echo 'to_tensor = None' > "$dir/stand-in/torchvision/transforms/functional.py"
touch "$dir/stand-in/torchvision/__init__.py" "$dir/stand-in/torchvision/transforms/__init__.py"

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
PYTHONPATH=stand-in env/bin/python -W ignore - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys
import tempfile

import numpy as np
from litdata.streaming.serializers import PILSerializer
from PIL import Image
from streaming import MDSWriter, StreamingDataset

grey = Image.fromarray(np.array([[255, 120, 0]], np.uint8))
palette = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
palette.putpalette([value for value in (255, 120, 0) for _ in "rgb"])
Image.new("L", (16, 16), 255).save("page.jpg", quality=100)
painted = Image.open("page.jpg")
painted.paste(99, (0, 0, 16, 16))


def by_streaming(type_):
    def stored(value):
        folder = tempfile.mkdtemp(dir=".")
        try:
            with MDSWriter(out=folder, columns={"x": type_}) as writer:
                writer.write({"x": value})
        except OverflowError:
            return "refused"
        return StreamingDataset(local=folder, batch_size=1)[0]["x"]

    return stored


def by_litdata(image):
    serializer = PILSerializer()
    return serializer.deserialize(serializer.serialize(image)[0])


def text(value):
    if isinstance(value, Image.Image):
        value = np.asarray(value.convert("L")).ravel()
        value = value if len(value) == 3 else value[:1]
    return " ".join(map(str, value.tolist())) if isinstance(value, np.ndarray) else str(value)


CASES = {
    "Streaming, pil, grey": (by_streaming("pil"), grey, "255 120 0", "255 120 0"),
    "Streaming, pil, palette": (by_streaming("pil"), palette, "255 120 0", "0 0 0"),
    "Streaming, png, palette": (by_streaming("png"), palette, "255 120 0", "255 120 0"),
    "LitData, palette": (by_litdata, palette, "255 120 0", "0 0 0"),
    "Streaming, jpeg, painted": (by_streaming("jpeg"), painted, "99", "255"),
    "Streaming, int32, NumPy's 2^32 + 7": (by_streaming("int32"), np.int64(2**32 + 7), "4294967303", "7"),
    "Streaming, int32, Python's 2^32 + 7": (by_streaming("int32"), 2**32 + 7, "4294967303", "refused"),
    "Streaming, ndarray, big-endian": (by_streaming("ndarray"), np.array([1, 2], ">u2"), "1 2", "256 512"),
}
same = True
with open("seen", "w") as table:
    for name, (way, value, *described) in CASES.items():
        seen = [text(value), text(way(value))]
        print(f"{name:42}{seen[0]:16}{seen[1]}", file=table)
        same &= seen == described
sys.exit(not same)
PY
cat seen
