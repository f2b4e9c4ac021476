#!/usr/bin/env bash
# scikit-image reads a TIFF of three grey pages as one page in colour, and one of four as a page with transparency: two pages and five are pages.
#
# Versions: scikit-image 0.26.0, tifffile 2026.3.3, imageio 2.38.1, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: skimage.io.imread looks at the shape alone. If the third axis from the end is 3 or 4 long, and the last one is not, it takes it for colours and moves it to the end. The pages of a scan are such an axis: (3, H, W)
# becomes (H, W, 3). as_gray=True then adds the pages up with the weights of red, green and blue, and with four takes the last one for how opaque the others are. A page of grey and alpha that is 3 or 4 pixels high, or a strip
# of that height, has its height moved to the end. tifffile and imageio, on which it is built, do none of that.
#
# Why a good guess is wrong: the rule repairs TIFFs whose colours are stored apart, and the file says which ones these are (PlanarConfiguration, PhotometricInterpretation); one expects that it asks. A test has one page, or two. Three
# pages of writing that are added up look like one page with too much on it, in an image that is shown without an error.
#
# What a program like ours must do: read documents with tifffile, page by page, or with Pillow's seek; never infer from a length what an axis is.
#
# Seen (grey pages of 30x40, page n of grey 10 n; shape as read, pages by Pillow, and the grey of as_gray=True where it made one page of them):
#   pages  scikit-image  tifffile  imageio  Pillow  as_gray
#   1      30x40         30x40     30x40    1       10
#   2      2x30x40       2x30x40   2x30x40  2       -
#   3      30x40x3       3x30x40   3x30x40  3       19
#   4      30x40x4       4x30x40   4x30x40  4       218
#   5      5x30x40       5x30x40   5x30x40  5       -
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 scikit-image==0.26.0 imageio==2.38.1 tifffile==2026.3.3

cd "$dir"
env/bin/python - <<'PY'
import sys

import imageio.v3 as imageio
import numpy as np
import tifffile
from PIL import Image
from skimage import io

DESCRIBED = {
    1: "30x40 30x40 10",
    2: "2x30x40 2x30x40 -",
    3: "30x40x3 3x30x40 19",
    4: "30x40x4 4x30x40 218",
    5: "5x30x40 5x30x40 -",
}


def shape(array):
    return "x".join(map(str, array.shape))


def grey():
    try:
        read = io.imread("scan.tif", as_gray=True)
    except ValueError:
        return "-"
    return f"{read.mean() * (255 if read.dtype.kind == 'f' else 1):.0f}" if read.ndim == 2 else "-"


same = True
print(f"{'pages':7}{'scikit-image':14}{'tifffile':10}{'imageio':9}{'Pillow':8}as_gray")
for pages, described in DESCRIBED.items():
    first, *others = [Image.new("L", (40, 30), 10 * (number + 1)) for number in range(pages)]
    first.save("scan.tif", save_all=True, append_images=others)
    by_tifffile = tifffile.imread("scan.tif")
    by_imageio = imageio.imread("scan.tif")
    seen = [shape(io.imread("scan.tif")), shape(by_tifffile), grey()]
    frames = Image.open("scan.tif").n_frames
    print(f"{pages:<7}{seen[0]:14}{seen[1]:10}{shape(by_imageio):9}{frames:<8}{seen[2]}")
    same &= " ".join(seen) == described and frames == pages and by_imageio.shape == by_tifffile.shape
sys.exit(not same)
PY
