#!/usr/bin/env bash
# A JPEG for print, with four inks, is a blank sheet if scikit-image reads it as grey: its black ink is taken for how opaque it is.
#
# Versions: scikit-image 0.26.0, imageio 2.38.1, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: a JPEG or TIFF may hold cyan, magenta, yellow and black (CMYK), and so do those that come from layout programs. imread of scikit-image and imageio hands out the four inks as they are, (H, W, 4), and as_gray=True, like rgba2rgb,
# takes four channels for red, green, blue and alpha. Where there is no black ink alpha is 0, and white is seen: 1.0, whatever the other three are. A separation that prints greys with black ink alone
# has them right, by luck, as the opacity of nothing is black; its colours are white. Pillow and OpenCV convert inks to colours.
#
# Why a good guess is wrong: an image that cannot be understood is expected to raise an error, or to have odd colours; a white one is a page without anything on it, which is an answer. The shape (H, W, 4) is that of a PNG with
# transparency, which is dealt with rightly. as_gray is asked for exactly so that one need not look at channels.
#
# What a program like ours must do: ask for the mode of a file before its pixels, and convert CMYK to RGB in the reader; refuse four channels from a JPEG.
#
# Seen (grey levels of a white, a grey of 128, a red and a black patch, 0 to 255; inks as a converter writes them, and with the black ink used for greys):
#   inks          file  reader                  white  grey  red  black
#   no black ink  jpg   Pillow                  255    128   76   0
#   no black ink  jpg   OpenCV                  255    129   77   1
#   no black ink  jpg   scikit-image, as_gray   255    255   255  255
#   no black ink  jpg   imageio, then rgba2rgb  255    255   255  255
#   no black ink  tif   Pillow                  255    128   76   0
#   no black ink  tif   OpenCV                  255    128   76   0
#   no black ink  tif   scikit-image, as_gray   255    255   255  255
#   no black ink  tif   imageio, then rgba2rgb  255    255   255  255
#   black ink     jpg   Pillow                  255    128   76   0
#   black ink     jpg   OpenCV                  255    128   77   0
#   black ink     jpg   scikit-image, as_gray   255    128   255  0
#   black ink     jpg   imageio, then rgba2rgb  255    128   255  0
#   black ink     tif   Pillow                  255    128   76   0
#   black ink     tif   OpenCV                  255    128   76   0
#   black ink     tif   scikit-image, as_gray   255    128   255  0
#   black ink     tif   imageio, then rgba2rgb  255    128   255  0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 scikit-image==0.26.0 imageio==2.38.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
env/bin/python - <<'PY'
import sys

import cv2
import imageio.v3 as imageio
import numpy as np
from PIL import Image
from skimage import color, io

COLOURS = [(255, 255, 255), (128, 128, 128), (255, 0, 0), (0, 0, 0)]
patches = np.repeat(np.array([COLOURS], np.uint8), 16, axis=1).repeat(16, axis=0)
converted = Image.fromarray(patches).convert("CMYK")
inks = np.asarray(converted)
black = inks[:, :, :3].min(axis=2, keepdims=True)
separated = Image.fromarray(np.concatenate([inks[:, :, :3] - black, black], axis=2), "CMYK")

READERS = {
    "Pillow": lambda name: np.asarray(Image.open(name).convert("RGB").convert("L")),
    "OpenCV": lambda name: cv2.imread(name, cv2.IMREAD_GRAYSCALE),
    "scikit-image, as_gray": lambda name: io.imread(name, as_gray=True) * 255,
    "imageio, then rgba2rgb": lambda name: color.rgb2gray(color.rgba2rgb(imageio.imread(name))) * 255,
}
DESCRIBED = {
    ("no black ink", False): [255, 128, 76, 0],
    ("no black ink", True): [255, 255, 255, 255],
    ("black ink", False): [255, 128, 76, 0],
    ("black ink", True): [255, 128, 255, 0],
}
same = True
print(f"{'inks':14}{'file':6}{'reader':24}white  grey  red  black")
for ink, image in {"no black ink": converted, "black ink": separated}.items():
    for kind in ("jpg", "tif"):
        image.save(f"inks.{kind}", quality=100)
        for name, read in READERS.items():
            grey = np.round(read(f"inks.{kind}")[8, 8::16]).astype(int)
            print("{:14}{:6}{:24}{:<7}{:<6}{:<5}{}".format(ink, kind, name, *grey))
            same &= bool(np.abs(grey - DESCRIBED[ink, name.startswith(("sc", "im"))]).max() <= 1)
sys.exit(not same)
PY
