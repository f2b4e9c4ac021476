#!/usr/bin/env bash
# img2pdf makes a blank page of a PNG whose palette says how opaque its colours are, even if all of them are opaque: "lossless", with a warning that sounds like success.
#
# Versions: img2pdf 0.6.3, pymupdf 2.0, pypdfium2 5.15.2, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: a PNG with a palette may have a tRNS chunk, an opacity for each entry. img2pdf logs that it computes a soft mask for the alpha channel, and writes one in which each pixel is as opaque as nothing: the page is white, whatever the image. A grey or colour PNG whose tRNS chunk names one clear colour is
# right, and so are grey and colour images with an alpha channel. PyMuPDF, given the same file, shows the picture with its clear parts. The colours themselves are in img2pdf's file, behind the mask.
#
# Why a good guess is wrong: img2pdf is taken because it does not touch pixels, and it refuses with a clear message what it cannot keep. Programs that make scans small write such files: a palette of 16 greys, and a tRNS chunk of 255 for each, or of one clear entry for the paper.
# The file of the PDF is as large as one expects, text that a reader puts over it is there, and no error is raised: only the page is empty, and a reader of the page answers "nothing".
#
# What a program like ours must do: flatten such an image onto white before it becomes a page, and compare a small rendering of the page with the image; when reading, look for the image of a page that is blank.
#
# Seen (the greys of four pixels of the page, as PDFium renders it):
#   image                                      Pillow, on white    img2pdf             PyMuPDF
#   grey                                       0 40 80 200         0 40 80 200         0 40 80 200
#   grey, 40 is clear                          0 255 80 200        0 255 80 200        0 255 80 200
#   grey, opaque alpha channel                 0 40 80 200         0 40 80 200         0 40 80 200
#   palette                                    0 40 80 200         0 40 80 200         0 40 80 200
#   palette, all opaque                        0 40 80 200         255 255 255 255     0 40 80 200
#   palette, second entry is clear             0 255 80 200        255 255 255 255     0 255 80 200
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 img2pdf==0.6.3 pymupdf==2.0 pypdfium2==5.15.2

"$dir/env/bin/python" -W ignore - 2> "$dir/notes" <<'PY' || { cat "$dir/notes" >&2; exit 1; }
import io
import sys

import img2pdf
import numpy as np
import pymupdf
import pypdfium2 as pdfium
from PIL import Image

GREYS = [0, 40, 80, 200]
WIDTH, HEIGHT = 32, 8  # of an image, and of its page in points


def png(palette, **options):
    numbers = np.arange(4) if palette else np.array(GREYS)
    image = Image.fromarray(np.tile(np.repeat(numbers, 8), (HEIGHT, 1)).astype(np.uint8))
    if palette:
        image.putpalette([grey for grey in GREYS for _ in "rgb"])
    if options.pop("alpha", False):
        image.putalpha(255)
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def by_pillow(file):
    image = Image.open(io.BytesIO(file)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def rendered(pdf):
    with pdfium.PdfDocument(pdf) as document:
        return document[0].render(scale=1).to_pil()


def by_img2pdf(file):
    return rendered(img2pdf.convert(file, layout_fun=img2pdf.get_fixed_dpi_layout_fun((72, 72))))


def by_pymupdf(file):
    with pymupdf.open() as document:
        page = document.new_page(width=WIDTH, height=HEIGHT)
        page.insert_image(page.rect, stream=file)
        return rendered(document.tobytes())


WAYS = {"Pillow, on white": by_pillow, "img2pdf": by_img2pdf, "PyMuPDF": by_pymupdf}


def text(image):
    return " ".join(str(grey) for grey in np.asarray(image.convert("L"))[HEIGHT // 2, 4::8])


SHARP, CLEAR, BLANK = "0 40 80 200", "0 255 80 200", "255 255 255 255"
CASES = {
    "grey": (png(False), [SHARP] * 3),
    "grey, 40 is clear": (png(False, transparency=40), [CLEAR] * 3),
    "grey, opaque alpha channel": (png(False, alpha=True), [SHARP] * 3),
    "palette": (png(True), [SHARP] * 3),
    "palette, all opaque": (png(True, transparency=bytes([255] * 4)), [SHARP, BLANK, SHARP]),
    "palette, second entry is clear": (png(True, transparency=bytes([255, 0, 255, 255])), [CLEAR, BLANK, CLEAR]),
}
same = True
print(f"{'image':43}" + "".join(f"{name:20}" for name in WAYS))
for name, (file, described) in CASES.items():
    seen = [text(way(file)) for way in WAYS.values()]
    print(f"{name:43}" + "".join(f"{values:20}" for values in seen))
    same &= seen == described
sys.exit(not same)
PY
