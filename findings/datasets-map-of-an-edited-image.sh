#!/usr/bin/env bash
# Dataset.map of Hugging Face saves the file an image came from, not the image: what was painted, pasted or made smaller in place is not in the new data set.
#
# Versions: datasets 5.2.0, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: a column of type Image stores each image as bytes or as a path. To store a Pillow image, datasets asks whether it has a file name, and if so keeps that name and drops the pixels. Pillow keeps the name in an image
# that is changed in place: by paste, ImageDraw, putpixel, thumbnail. So map returns the original: the same size, nothing painted over. An image that has no name (copy, resize, crop, convert make a new one; a column of bytes gives
# images of no name) is stored as pixels. Neither map nor what is read afterwards says a word; Dataset.from_dict with an image that was opened and edited does the same.
#
# Why a good guess is wrong: inside of the function, and in what it returns, the image is the edited one. The same function works with a data set that was pushed to a hub or read from Parquet, where
# images are bytes, and fails on the folder of files from which that one was made. With resize it works everywhere; thumbnail, which keeps proportions and is what one takes for photographs, does not. Painting over names on
# forms before a data set is given away is such an edit: the originals are given away.
#
# What a program like ours must do: return image.copy() from every function of map, or encode to bytes oneself; look at what the new data set holds, not at what the function returned.
#
# Seen (a PNG of 64x64 of grey 200; painted black, or a thumbnail of 8x8 made, in map; mean grey and size in the new data set):
#   column             edit              mean  size
#   a file             paste             200   64x64
#   a file             ImageDraw         200   64x64
#   a file             thumbnail         200   64x64
#   a file             resize            200   8x8
#   a file             copy, then paste  0     64x64
#   bytes              paste             0     64x64
#   bytes              thumbnail         200   8x8
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 datasets==5.2.0

cd "$dir"
export HF_HOME="$dir/home" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
env/bin/python - <<'PY'
import sys
from pathlib import Path

import datasets
import numpy as np
from PIL import Image, ImageDraw

datasets.disable_progress_bars()
Image.new("L", (64, 64), 200).save("grey.png")
COLUMNS = {"a file": "grey.png", "bytes": {"bytes": Path("grey.png").read_bytes(), "path": None}}


def paste(image):
    image.paste(0, (0, 0, 64, 64))
    return image


def draw(image):
    ImageDraw.Draw(image).rectangle((0, 0, 63, 63), fill=0)
    return image


def thumbnail(image):
    image.thumbnail((8, 8))
    return image


EDITS = {
    "paste": paste,
    "ImageDraw": draw,
    "thumbnail": thumbnail,
    "resize": lambda image: image.resize((8, 8)),
    "copy, then paste": lambda image: paste(image.copy()),
}
CASES = [
    ("a file", "paste", "200 64x64"),
    ("a file", "ImageDraw", "200 64x64"),
    ("a file", "thumbnail", "200 64x64"),
    ("a file", "resize", "200 8x8"),
    ("a file", "copy, then paste", "0 64x64"),
    ("bytes", "paste", "0 64x64"),
    ("bytes", "thumbnail", "200 8x8"),
]
same = True
print(f"{'column':19}{'edit':18}{'mean':6}size")
for column, edit, described in CASES:
    features = datasets.Features({"image": datasets.Image()})
    before = datasets.Dataset.from_dict({"image": [COLUMNS[column]]}, features=features)
    after = before.map(lambda row: {"image": EDITS[edit](row["image"])}, load_from_cache_file=False)[0]["image"]
    seen = [f"{np.asarray(after).mean():.0f}", f"{after.width}x{after.height}"]
    print(f"{column:19}{edit:18}{seen[0]:6}{seen[1]}")
    same &= " ".join(seen) == described
sys.exit(not same)
PY
