#!/usr/bin/env bash
# imageio reads a colour DICOM as a grey image of its first third, -1 of 12 bits as 4095, and of several frames the first, though it has a reader that does it right.
#
# Versions: imageio 2.38.1, pydicom 3.0.2, numpy 2.4.6.
#
# Behaviour: imread takes the reader of its own for a DICOM file, also where pydicom is installed. That one takes the first axis of what is stored for a series of images and gives the first: of a colour image the bytes of its first third, red, green and blue by turns, as one grey image of the full size. Of an image of several frames it gives one, and
# index=..., which is all of them, is refused. Numbers of 12 bits are stored in 16, negative ones with the sign in the twelfth; the reader takes all 16, so that -1 is 4095 in an array of a signed type, and bits above the twelfth, where old files have overlays, add 4096 and more. The slope and intercept of the file are applied.
# plugin="pydicom" is right in all of it. The documentation calls the old reader deprecated and advises the other, and imread says so once, by a DeprecationWarning, which Python does not show.
#
# Why a good guess is wrong: a file that is opened without an error, with the height, width and type that its header says, is read. The files that one tries, grey, of one frame and of 8 or 16 bits, are right. Scanned pages and photographs of hospitals (Secondary Capture) are in colour: the grey image is the upper third of the page,
# each of its rows laid over three, and text in it looks like a bad scan.
#
# What a program like ours must do: plugin="pydicom", or pydicom itself, and compare the shape with SamplesPerPixel and NumberOfFrames.
#
# Seen (shape and first numbers; files that pydicom wrote):
#   file                             imread                     plugin="pydicom"
#   grey, 8 bits                     (1, 4) 0 1 2 255           (1, 4) 0 1 2 255
#   grey, slope 2, intercept -10     (1, 4) -10 -8 -6 500       (1, 4) -10 -8 -6 500
#   colour, by pixel                 (2, 2) 0 1 2 3             (2, 2, 3) 0 1 2 3
#   colour, by plane                 (2, 2) 0 1 2 3             (2, 2, 3) 0 4 8 1
#   three frames                     (2, 2) 0 1 2 3             (3, 2, 2) 0 1 2 3
#   signed, 16 bits                  (1, 4) -1 -32768 1 3       (1, 4) -1 -32768 1 3
#   signed, 12 bits                  (1, 4) 4095 2048 1 3       (1, 4) -1 -2048 1 3
#   12 bits and an overlay           (1, 4) 61441 4098 1 3      (1, 4) 1 2 1 3
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 imageio==2.38.1 pydicom==3.0.2

cd "$dir"
# The reader reports its progress on the output; the table goes to a file.
env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import pathlib
import sys
import tempfile

import imageio.v3 as iio
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


def file(pixels, size, **more):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality, data.InstanceNumber = "OT", 1
    data.Rows, data.Columns = size
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = pixels.itemsize * 8
    data.PixelRepresentation = 0
    for name, value in more.items():
        setattr(data, name, value)
    data.HighBit = data.BitsStored - 1
    data.PixelData = pixels.tobytes()
    path = pathlib.Path(tempfile.mkdtemp(dir=".")) / "page.dcm"  # a folder each: imread looks for more of a series
    data.save_as(path, enforce_file_format=True)
    return path


def text(image):
    return f"{image.shape} " + " ".join(f"{value:g}" for value in image.ravel()[:4])


BYTES = np.arange(12, dtype=np.uint8)
GREY = np.array([0, 1, 2, 255], np.uint8)
COLOUR = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
TWELVE = np.array([0xFFF, 0x800, 1, 3], np.uint16)
OVERLAY = np.array([0xF001, 0x1002, 1, 3], np.uint16)
CASES = {
    "grey, 8 bits": (file(GREY, (1, 4)), "(1, 4) 0 1 2 255", "(1, 4) 0 1 2 255"),
    "grey, slope 2, intercept -10": (
        file(GREY, (1, 4), RescaleSlope=2, RescaleIntercept=-10),
        "(1, 4) -10 -8 -6 500",
        "(1, 4) -10 -8 -6 500",
    ),
    "colour, by pixel": (file(BYTES, (2, 2), PlanarConfiguration=0, **COLOUR), "(2, 2) 0 1 2 3", "(2, 2, 3) 0 1 2 3"),
    "colour, by plane": (file(BYTES, (2, 2), PlanarConfiguration=1, **COLOUR), "(2, 2) 0 1 2 3", "(2, 2, 3) 0 4 8 1"),
    "three frames": (file(BYTES, (2, 2), NumberOfFrames=3), "(2, 2) 0 1 2 3", "(3, 2, 2) 0 1 2 3"),
    "signed, 16 bits": (
        file(np.array([-1, -32768, 1, 3], np.int16), (1, 4), PixelRepresentation=1),
        "(1, 4) -1 -32768 1 3",
        "(1, 4) -1 -32768 1 3",
    ),
    "signed, 12 bits": (
        file(TWELVE, (1, 4), PixelRepresentation=1, BitsStored=12),
        "(1, 4) 4095 2048 1 3",
        "(1, 4) -1 -2048 1 3",
    ),
    "12 bits and an overlay": (file(OVERLAY, (1, 4), BitsStored=12), "(1, 4) 61441 4098 1 3", "(1, 4) 1 2 1 3"),
}
same = True
with open("seen", "w") as table:
    print(f"{'file':33}{'imread':27}plugin=\"pydicom\"", file=table)
    for name, (path, *described) in CASES.items():
        seen = [text(iio.imread(path)), text(iio.imread(path, plugin="pydicom"))]
        print(f"{name:33}{seen[0]:27}{seen[1]}", file=table)
        same &= seen == described
    try:
        iio.imread(CASES["three frames"][0], index=...)
        same = False
    except RuntimeError:
        pass
sys.exit(not same)
PY
cat seen
