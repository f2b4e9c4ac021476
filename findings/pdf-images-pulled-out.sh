#!/usr/bin/env bash
# The image that a library pulls out of a PDF is not the one on the page: inverted, or of other greys, by the way the file says what its bits mean.
#
# Versions: pypdfium2 5.15.2 (PDFium 159.0.8149.0), pypdf 7.1.0, pikepdf 10.18.0, pymupdf 2.0, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: a black-and-white scan may be in a PDF as grey of 1 bit, as an index into two colours, or as a stencil through which the page's colour is painted; each may have a Decode array that turns 0 and 1 round. All
# viewers show the same page. Of those that pull images out, pypdfium2's extract leaves Decode out for greys and heeds it for an index; pypdf and pikepdf have it the other way round. Of a stencil, extract, get_bitmap and PyMuPDF
# give as white where paint falls, and pypdf and pikepdf as black. Of 16 bits extract and pypdf take each byte for a pixel and stop when there are enough: the upper half, twice as wide, with noise in every second
# column. get_bitmap and PyMuPDF are right in all but the stencil.
#
# Why a good guess is wrong: with a PDF of one scanner everything is right, or all is inverted and one inverts it; the next scanner's is then wrong. That a library heeds Decode is seen with one colour space and believed of
# the others. There is no error and the size is right. A network for digits that are white on black reads inverted paper as what it is used to: it answers, surely.
#
# What a program like ours must do: render the page, and take an embedded image only after comparing it with a small rendering of the page.
#
# Seen (four pixels of a row; page is what PDFium renders):
#   image            get_bitmap   extract      pypdf        pikepdf      PyMuPDF      page
#   grey             0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255
#   grey, Decode     0 0 255 255  255 255 0 0  0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255
#   index            0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255  0 0 255 255
#   index, Decode    0 0 255 255  0 0 255 255  255 255 0 0  255 255 0 0  0 0 255 255  0 0 255 255
#   stencil          255 255 0 0  255 255 0 0  0 0 255 255  0 0 255 255  255 255 0 0  0 0 255 255
#   stencil, Decode  255 255 0 0  255 255 0 0  0 0 255 255  0 0 255 255  255 255 0 0  0 0 255 255
#   16 bits          31 47 63 79  16 7 32 7    16 7 32 7    32 48 64 80  32 48 64 80  31 47 63 79
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 pypdfium2==5.15.2 pypdf==7.1.0 pikepdf==10.18.0 pymupdf==2.0

# pypdf and PyMuPDF write hints on the output and the error output.
"$dir/env/bin/python" -W ignore - <<'PY'
import io
import sys

import numpy as np
import pikepdf
import pymupdf
import pypdf
import pypdfium2 as pdfium
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image

BITS, TURNED = bytes([0b00001111] * 4), bytes([0b11110000] * 4)
DEEP = b"".join(bytes([16 * column, 7]) for column in range(8)) * 4  # of an image of 8 x 4
GREY, FLIP = Name.DeviceGray, Array([1, 0])
INDEX = Array([Name.Indexed, Name.DeviceRGB, 1, String(bytes([0, 0, 0, 255, 255, 255]))])
SHARP = ["0 0 255 255"] * 5
PAINT = ["255 255 0 0", "255 255 0 0", "0 0 255 255", "0 0 255 255", "255 255 0 0"]
IMAGES = {
    "grey": (BITS, {"ColorSpace": GREY}, SHARP),
    "grey, Decode": (TURNED, {"ColorSpace": GREY, "Decode": FLIP}, ["0 0 255 255", "255 255 0 0", *SHARP[:3]]),
    "index": (BITS, {"ColorSpace": INDEX}, SHARP),
    "index, Decode": (
        TURNED,
        {"ColorSpace": INDEX, "Decode": FLIP},
        ["0 0 255 255", "0 0 255 255", "255 255 0 0", "255 255 0 0", "0 0 255 255"],
    ),
    "stencil": (BITS, {"ImageMask": True}, PAINT),
    "stencil, Decode": (TURNED, {"ImageMask": True, "Decode": FLIP}, PAINT),
    "16 bits": (
        DEEP,
        {"ColorSpace": GREY, "BitsPerComponent": 16},
        ["31 47 63 79", "16 7 32 7", "16 7 32 7", "32 48 64 80", "32 48 64 80"],
    ),
}


def document(data, entries):
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(8, 4))
    image = Stream(pdf, data)
    for key, value in {"Type": Name.XObject, "Subtype": Name.Image, "Width": 8, "Height": 4, **entries}.items():
        image[f"/{key}"] = value
    if "BitsPerComponent" not in entries:
        image.BitsPerComponent = 1
    page = pdf.pages[0]
    page.Resources = Dictionary(XObject=Dictionary(I=image))
    page.Contents = Stream(pdf, b"0 g q 8 0 0 4 0 0 cm /I Do Q")
    file = io.BytesIO()
    pdf.save(file)
    return file.getvalue()


def grey(image):
    if image.mode.startswith("I"):
        return np.asarray(image).astype(int) >> 8
    return np.asarray(image.convert("L"))


def by_bitmap(file):
    with pdfium.PdfDocument(file) as pdf:
        return grey(next(pdf[0].get_objects()).get_bitmap().to_pil())


def by_extract(file):
    found = io.BytesIO()
    with pdfium.PdfDocument(file) as pdf:
        next(pdf[0].get_objects()).extract(found)
    return grey(Image.open(found))


def by_pypdf(file):
    return grey(pypdf.PdfReader(io.BytesIO(file)).pages[0].images[0].image)


def by_pikepdf(file):
    with pikepdf.open(io.BytesIO(file)) as pdf:
        return grey(pikepdf.PdfImage(pdf.pages[0].Resources.XObject.I).as_pil_image())


def by_pymupdf(file):
    with pymupdf.open(stream=file) as pdf:
        return grey(Image.open(io.BytesIO(pdf.extract_image(pdf[0].get_images()[0][0])["image"])))


def by_page(file):
    with pdfium.PdfDocument(file) as pdf:
        return grey(pdf[0].render(scale=1).to_pil())


def text(way, file):
    return " ".join(str(value) for value in way(file)[0, 2:6])


WAYS = {
    "get_bitmap": by_bitmap,
    "extract": by_extract,
    "pypdf": by_pypdf,
    "pikepdf": by_pikepdf,
    "PyMuPDF": by_pymupdf,
    "page": by_page,
}
same = True
print(f"{'image':17}" + "".join(f"{name:13}" for name in WAYS))
for name, (data, entries, described) in IMAGES.items():
    file = document(data, entries)
    seen = [text(way, file) for way in WAYS.values()]
    print(f"{name:17}" + "".join(f"{values:13}" for values in seen))
    same &= seen == [*described, "31 47 63 79" if name == "16 bits" else "0 0 255 255"]
sys.exit(not same)
PY
