#!/usr/bin/env bash
# A scanned page of a PDF, rendered at the scan's own resolution, is not the scan: it is resampled, even on a grid that fits.
#
# Versions: pypdfium2 5.15.2 (PDFium 159.0.8149.0), pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: a PDF says how large a page is in points, not in pixels. A scan of a sheet of A4 at 150 dpi has 1240 x 1754 pixels. Two
# ways of getting them back do not. render(scale=150/72) rounds the page's size up and often gives a row or column more, and then every
# pixel lies between two of the scan's. FPDF_RenderPageBitmapWithMatrix with the factors 1240 / page width and 1754 / page height gives
# 1240 x 1754 pixels, but page width and height come back as 32-bit floats: the image then reaches over the bitmap by 1e-5 of a pixel,
# PDFium takes all pixels that it touches, one more, and stretches the scan over them. For some sizes the rounding falls on the
# other side, and the result is exact. Drawn smaller by a hundredth of a pixel on each side the scan comes out pixel by pixel, at all sizes.
#
# Why a good guess is wrong: one renders at the dpi that the scanner wrote, gets a picture of the right size, and takes it for the scan. A
# black-and-white scan tells: it comes back in greys. And a test with one page, of Letter perhaps, or of A4 at 200 dpi, may well be exact.
#
# What a program like ours must do: thin strokes and the walls of a comb suffer from resampling, so take the scan itself. Either fetch the
# embedded image (and turn it, invert it, mask it, and miss what was written above it), or draw the page on the scan's own grid, made a
# hundredth of a pixel smaller on each side; and test with many sizes, in black and white.
#
# Seen (of 40 black-and-white scans of random sizes and resolutions, how many came back pixel by pixel):
#   render(scale=dpi / 72)                     10 of 40
#   matrix, scan's pixels / page's points      36 of 40
#   the same, smaller by 0.01 on each side     40 of 40
#
# Ends with 0 while this is so, with 1 once rendering at the scan's own resolution is exact or the smaller grid is not.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 pypdfium2==5.15.2

cd "$dir"
env/bin/python - <<'PY'
import io
import sys

import numpy as np
import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw


def on_grid(page, width, height, inset):
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_Gray)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
    points = page.get_size()
    across, down = (width - 2 * inset) / points[0], (height - 2 * inset) / points[1]
    matrix = raw.FS_MATRIX(across, 0, 0, down, inset, inset)
    raw.FPDF_RenderPageBitmapWithMatrix(
        bitmap, page, matrix, raw.FS_RECTF(0, 0, width, height), 0
    )
    return bitmap.to_numpy().reshape(height, width).copy()


WAYS = {
    "render(scale=dpi / 72)": lambda page, w, h, dpi: np.asarray(
        page.render(scale=dpi / 72).to_pil().convert("L")
    ),
    "matrix, scan's pixels / page's points": lambda page, w, h, dpi: on_grid(page, w, h, 0),
    "the same, smaller by 0.01 on each side": lambda page, w, h, dpi: on_grid(page, w, h, 0.01),
}
exact = dict.fromkeys(WAYS, 0)
chance = np.random.default_rng(0)
for _ in range(40):
    height, width = (int(n) for n in chance.integers(100, 500, 2))
    dpi = float(chance.uniform(100, 400))
    scan = chance.integers(0, 2, (height, width)).astype(bool)
    file = io.BytesIO()
    Image.fromarray(scan).save(file, "PDF", resolution=dpi)
    with pdfium.PdfDocument(file.getvalue()) as document:
        for name, draw in WAYS.items():
            found = draw(document[0], width, height, dpi)
            exact[name] += found.shape == scan.shape and bool((found == scan * np.uint8(255)).all())
for name, count in exact.items():
    print(f"{name:42} {count:2} of 40")
by_dpi, by_matrix, smaller = exact.values()
sys.exit(not (by_dpi < 40 and by_matrix < 40 and smaller == 40))
PY
