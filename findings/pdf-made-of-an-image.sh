#!/usr/bin/env bash
# Put into a PDF, a scan of 16 bits is a white page by ReportLab and fpdf2, and a photograph lies on its side by all but img2pdf and one of PyMuPDF's two ways.
#
# Versions: reportlab 5.1.0, fpdf2 2.8.9, img2pdf 0.6.3, pymupdf 2.0, pypdfium2 5.15.2, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: ReportLab and fpdf2 convert what they get to 8 bits of colour by Pillow, which does not scale greys of 16 bits but cuts them off at 255: all that is not nearly black is white. img2pdf and PyMuPDF keep 16 bits. How a photograph is to be turned stands in its EXIF data, which a PDF has not: img2pdf turns the page, as does
# PyMuPDF if the file is opened as a document and converted; PyMuPDF's insert_image, ReportLab, fpdf2 and Pillow's own PDF put the pixels in as they are stored, and drop the note. Pillow refuses 16 bits.
# An image of grey and alpha is opaque by ReportLab, unless mask="auto" is given, and by Pillow: colours that are clear appear.
#
# Why a good guess is wrong: a page of a PDF looks the same to everyone, so it is taken for what one saw of the image in a viewer. Viewers scale 16 bits and heed EXIF. A test with a screenshot has 8 bits, lies upright and is opaque. PyMuPDF's two ways differ although both are from the same library.
#
# What a program like ours must do: bring an image to 8 bits (by dividing by 257), upright and on white before it becomes a page; and when it reads a PDF, expect pages that lie on their side although their photographs did not.
#
# Seen (corners of the page, above left, above right, below left, below right, of an image whose corners are 0 120 160 255):
#   way                       8 bits          16 bits         to be turned    half opaque
#   ReportLab                 0 120 160 255   0 255 255 255   0 120 160 255   0 120 160 255
#   ReportLab, mask="auto"    0 120 160 255   0 255 255 255   0 120 160 255   127 187 207 255
#   fpdf2                     0 120 160 255   0 255 255 255   0 120 160 255   127 187 207 255
#   Pillow                    0 120 160 255   refused         0 120 160 255   0 120 160 255
#   img2pdf                   0 120 160 255   0 120 160 255   160 0 255 120   127 187 207 255
#   PyMuPDF, insert_image     0 120 160 255   0 120 160 255   0 120 160 255   127 187 207 255
#   PyMuPDF, convert_to_pdf   0 120 160 255   0 120 160 255   160 0 255 120   127 187 207 255
#
# Ends with 0 while this is so (greys to within 2), with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 img2pdf==0.6.3 pymupdf==2.0 pypdfium2==5.15.2 reportlab==5.1.0 fpdf2==2.8.9

"$dir/env/bin/python" -W ignore - 2> "$dir/notes" <<'PY' || { cat "$dir/notes" >&2; exit 1; }
import io
import sys

import img2pdf
import numpy as np
import pymupdf
import pypdfium2 as pdfium
from fpdf import FPDF
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 32, 16  # of an image, and of its page in points
GREYS = np.kron(np.array([[0, 120], [160, 255]], np.uint8), np.ones((HEIGHT // 2, WIDTH // 2), np.uint8))


def written(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def by_reportlab(file, mask=None):
    pdf = io.BytesIO()
    canvas = Canvas(pdf, pagesize=(WIDTH, HEIGHT))
    canvas.drawImage(ImageReader(io.BytesIO(file)), 0, 0, WIDTH, HEIGHT, mask=mask)
    canvas.save()
    return pdf.getvalue()


def by_fpdf2(file):
    pdf = FPDF(unit="pt")
    pdf.set_auto_page_break(False)
    pdf.add_page(orientation="L", format=(HEIGHT, WIDTH))
    pdf.image(io.BytesIO(file), 0, 0, WIDTH, HEIGHT)
    return bytes(pdf.output())


def by_pillow(file):
    try:
        return written(Image.open(io.BytesIO(file)), "PDF")
    except ValueError:
        return None


def by_insert_image(file):
    with pymupdf.open() as document:
        page = document.new_page(width=WIDTH, height=HEIGHT)
        page.insert_image(page.rect, stream=file)
        return document.tobytes()


def by_convert(file):
    with pymupdf.open(stream=file) as document:
        return document.convert_to_pdf()


WAYS = {
    "ReportLab": by_reportlab,
    'ReportLab, mask="auto"': lambda file: by_reportlab(file, "auto"),
    "fpdf2": by_fpdf2,
    "Pillow": by_pillow,
    "img2pdf": lambda file: img2pdf.convert(file, layout_fun=img2pdf.get_fixed_dpi_layout_fun((72, 72))),
    "PyMuPDF, insert_image": by_insert_image,
    "PyMuPDF, convert_to_pdf": by_convert,
}


def corners(pdf):
    if pdf is None:
        return "refused"
    with pdfium.PdfDocument(pdf) as document:
        page = np.asarray(document[0].render(scale=WIDTH / max(document[0].get_size())).to_pil().convert("L")).astype(int)
    seen = [page[row, column] for row in (3, -4) for column in (3, -4)]
    return " ".join(str(min(NAMED, key=lambda named: abs(named - grey)) if min(abs(np.array(NAMED) - grey)) <= 2 else grey) for grey in seen)


NAMED = [0, 120, 127, 160, 187, 207, 255]
half = Image.fromarray(GREYS).convert("LA")
half.putalpha(128)
turn = Image.Exif()
turn[0x112] = 6
FILES = {
    "8 bits": written(Image.fromarray(GREYS)),
    "16 bits": written(Image.fromarray(GREYS.astype(np.uint16) * 257)),
    "to be turned": written(Image.fromarray(GREYS), "JPEG", quality=100, exif=turn),
    "half opaque": written(half),
}
SHARP, WHITE, TURNED, HALF = "0 120 160 255", "0 255 255 255", "160 0 255 120", "127 187 207 255"
DESCRIBED = {
    "ReportLab": [SHARP, WHITE, SHARP, SHARP],
    'ReportLab, mask="auto"': [SHARP, WHITE, SHARP, HALF],
    "fpdf2": [SHARP, WHITE, SHARP, HALF],
    "Pillow": [SHARP, "refused", SHARP, SHARP],
    "img2pdf": [SHARP, SHARP, TURNED, HALF],
    "PyMuPDF, insert_image": [SHARP, SHARP, SHARP, HALF],
    "PyMuPDF, convert_to_pdf": [SHARP, SHARP, TURNED, HALF],
}
same = True
print(f"{'way':26}" + "".join(f"{name:16}" for name in FILES))
for name, way in WAYS.items():
    seen = [corners(way(file)) for file in FILES.values()]
    print(f"{name:26}" + "".join(f"{values:16}" for values in seen))
    same &= seen == DESCRIBED[name]
sys.exit(not same)
PY
