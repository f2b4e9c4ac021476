"""Undamaged files of every kind, and how each kind is damaged."""

import contextlib
import io
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw
from safetensors.torch import save

import holmdel
from campaign import foreign
from campaign.doors import CHECKPOINT, INDEX, PART
from campaign.mutate import (
    as_json,
    damage,
    damage_json,
    damage_pickle,
    damage_png,
    damage_text,
    damage_zip,
    encoded,
)
from holmdel.checkpoint import save_line_model
from holmdel.data import idx
from holmdel.files.tensors import load_tensors
from holmdel.networks.line import LineNetwork
from holmdel.reading.trust import Trust, calibration_path, save_calibration
from holmdel.training.callbacks import Callback, Stopped

TINY = (4, 4, 8, 8, 8, 8, 8)  # channels
Damaged = Callable[[random.Random], bytes]
PATTERNS = (
    *("digits", "digits:5", "digits:3-6", "us-zip", "cn-postcode", "amount", "date:dmy", "date"),
    *("luhn:16", "isbn", "iban:DE", r"\d\d/\d\d/\d{4}", "[1-9][0-9]{3,7}(-[0-9]{2})?", "(1|23)+"),
    *("(((1?2?){3}){3}){3}", "[0-9]{1,40}", "luhn:2-30", "1{2}3*4+", "(12|34|56){2,9}-[^0-3]"),
)
TOML = """epochs = 3
lr = 0.5
batch_size = 64
recipe = "modern"
augment = "shift"
schedule = "onecycle"
input = "1x28x28"
limit = 100
seed = 1
device = "cpu"
engine = "auto"
calibrate = false
"""
COMMANDS = (
    ["predict", "lenet-mnist", "image.png", "--top", "3", "--format", "jsonl"],
    ["read", "image.png", "--pattern", "digits:5", "--format", "jsonl", "--jobs", "1"],
    ["read", "image.png", "--region", "0.1,0.2,0.5,0.5", "--max-error", "0.05", "--jobs", "1"],
    ["inspect", "lenet", "--input", "1x28x28", "--json", "--activation", "relu"],
    ["inspect", "vgg11", "--classes", "7", "--channels", "3"],
    ["import", "weights.params", "--as", "lenet-max", "--out", "made", "--input", "1x28x28"],
    ["data", "where", "mnist"],
    ["evaluate", "lenet-mnist", "--data", "data.npz", "--limit", "10", "--json"],
    ["export", "lenet-mnist", "--to", "c", "--out", "made.c"],
    ["template", "new", "image.png", "--out", "made.toml"],
    ["train", "lenet", "--data", "data.npz", "--limit", "0", "--epochs", "1", "--out", "made"],
)


def drawing(text: str = "4071", size: tuple[int, int] = (96, 40)) -> Image.Image:
    """Returns a little picture of digits."""
    image = Image.new("L", size, 235)
    ImageDraw.Draw(image).text((8, 6), text, fill=20, font_size=24)
    return image


def in_format(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """Returns a picture as a file."""
    file = io.BytesIO()
    (image or drawing()).save(file, kind, **options)
    return file.getvalue()


def images() -> list[bytes]:
    """Returns a file of every format of images."""
    colour, bits = drawing().convert("RGB"), drawing().convert("1")
    exif = Image.Exif()
    exif[0x0112] = 6
    found = [
        *(in_format("PNG"), in_format("PNG", colour.quantize(4)), in_format("PNG", bits)),
        *(in_format("JPEG", exif=exif), in_format("JPEG", colour, progressive=True)),
        *(in_format("GIF", save_all=True, append_images=[drawing("12")]), in_format("BMP")),
        *(in_format("TIFF", colour, compression="tiff_lzw"), in_format("TIFF", save_all=True)),
        *(in_format("TIFF", bits, compression="group4"), in_format("WEBP"), in_format("PPM")),
        *(in_format("JPEG2000"), in_format("PNG", colour.convert("RGBA"))),
    ]
    for module, kind in (("pillow_heif", "HEIF"), ("pillow_jxl", "JXL"), ("PIL", "AVIF")):
        try:
            package = __import__(module)
            getattr(package, "register_heif_opener", lambda: None)()
            found.append(in_format(kind, colour))
        except (ImportError, KeyError, OSError):
            continue
    return found


def pdf() -> bytes:
    """Returns a PDF of two pages, one of them a scan."""
    file = io.BytesIO()
    drawing().save(file, "PDF", save_all=True, append_images=[drawing("99").convert("1")])
    pypdfium2.PdfDocument(file.getvalue()).close()
    return file.getvalue()


def letter(end: bytes = b"") -> bytes:
    """Returns a file of three cheques, X9.37; with lengths before records unless `end` is given."""
    front = in_format("TIFF", drawing().convert("1"), compression="group4")
    records = [(f"{kind}03T".ljust(80), b"") for kind in ("01", "10", "20")]
    for amount in (123450, 67200, 990):
        detail = f"25{'':15} 122000661{'1211-1234-56789/':>20}{amount:010}{1:015}"
        view = f"50112200066120260102{0:02}{0:02}{len(front):07}0{0:02}0"
        text = f"52{122000661:09}20260102{1:02}{7:>15}{'':48}0{'':16}{4:04}key-{0:05}"
        records += [(detail.ljust(80), b""), (view.ljust(80), b"")]
        records += [(f"{text}{len(front):07}", front)]
    records += [(kind.ljust(80), b"") for kind in ("70", "90", "99")]
    parts = [text.encode() + image for text, image in records]
    return b"".join(p + end if end else len(p).to_bytes(4) + p for p in parts)


def prepared(folder: Path) -> None:
    """Writes what lies beside the files that doors are given."""
    holmdel.train("lenet", "digits", out=folder / "done", epochs=1, limit=64)

    class Stop(Callback):
        asked = 0

        def between_batches(self, snapshot: object) -> None:
            self.asked += 1
            if self.asked == 3:
                raise Stopped

    made: dict[str, Any] = {
        "epochs": 2,
        "batch_size": 32,
        "limit": 64,
        "calibrate": False,
        "recipe": "modern",
    }
    with contextlib.suppress(Stopped):
        holmdel.train("lenet", "digits", out=folder / "run", callbacks=Stop(), **made)
    trust = Trust(1.5, 0.25, ((0.9, 0.01), (0.0, 0.2)))
    save_line_model(folder / "reader.safetensors", LineNetwork(TINY), trust.to_json())
    save_calibration(folder / "reader.safetensors", trust)
    for name in ("a.png", "b.png", "image.png"):
        (folder / name).write_bytes(in_format("PNG"))
    (folder / "weights.params").write_bytes((foreign.FILES / "lenet.params").read_bytes())
    foreign.beside(folder)
    holmdel.Template.of(form()).save(folder / "form.toml")
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 255, (20, 28, 28), np.uint8), np.arange(20) % 3
    np.savez(folder / "data.npz", x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    idx.write(folder / "idx" / "train-images-idx3-ubyte", pixels)
    idx.write(folder / "idx" / "train-labels-idx1-ubyte", labels.astype(np.uint8))
    idx.write(folder / "idx" / "t10k-images-idx3-ubyte", pixels)
    idx.write(folder / "idx" / "t10k-labels-idx1-ubyte", labels.astype(np.uint8))


def form() -> Image.Image:
    """Returns a form with a row of boxes."""
    image = Image.new("L", (1240, 600), 248)
    for x in range(200, 650, 90):
        ImageDraw.Draw(image).rectangle([x, 250, x + 90, 340], outline=60, width=3)
    return image


def parquet(folder: Path) -> bytes:
    """Returns a Parquet file of encoded pictures."""
    import pyarrow
    from pyarrow import parquet as files

    images = [{"bytes": in_format("PNG"), "path": None}] * 6
    table = pyarrow.table({"image": images, "label": [0, 1, 2] * 2})
    files.write_table(table, folder / "data.parquet")
    return (folder / "data.parquet").read_bytes()


def csv(dice: random.Random) -> str:
    """Returns a table of labels and pixels."""
    head = ",".join(["label", *(f"pixel{i}" for i in range(16))])
    rows = [",".join(map(str, [i % 2, *dice.choices(range(256), k=16)])) for i in range(12)]
    return "\n".join([head, *rows]) + "\n"


ANSWER = {
    "path": "a.png",
    "lines": [
        {"text": "407", "raw": "4-07", "confidence": 0.4, "status": "reject", "box": [1, 2, 30, 20]}
    ],
}


def damages(kind: str, folder: Path) -> Damaged:
    """Returns what makes damaged files of a kind.

    Args:
        kind: of `doors.DOORS`.
        folder: that `prepared` has written.
    """
    return _MAKERS[kind](folder)


def undamaged(kind: str, folder: Path) -> bytes:
    """Returns the one file of a kind whose damage must be noticed."""
    return _WHOLE[kind](folder).read_bytes()


def _bytes(seeds: Callable[[Path], list[bytes]], folder: Path) -> Damaged:
    """Returns what damages one of some files, archives and pictures in their inside too."""
    given = tuple(seeds(folder))

    def make(dice: random.Random) -> bytes:
        content = dice.choice(given)
        if content.startswith(b"PK") and dice.random() < 0.6:
            return damage_zip(content, dice)
        if content.startswith(b"\x80") and dice.random() < 0.7:
            return damage_pickle(content, dice)
        if content.startswith(b"\x89PNG") and dice.random() < 0.5:
            return damage_png(content, dice)
        return damage(content, dice, given)

    return make


def _header(file: Callable[[Path], Path], folder: Path) -> Damaged:
    """Returns what puts another header into a file, without a checksum."""
    tensors, metadata = load_tensors(file(folder))
    [(name, text)] = metadata.items()
    header = json.loads(text)
    del header["checksum"]
    return lambda dice: save(tensors, {name: json.dumps(damage_json(header, dice))})


def _text(seeds: Callable[[Path], list[str]], folder: Path) -> Damaged:
    given = seeds(folder)
    return lambda dice: encoded(damage_text(dice.choice(given), dice))


def _json(seeds: Callable[[Path], list[Any]], folder: Path, lines: bool = False) -> Damaged:
    given = seeds(folder)

    def make(dice: random.Random) -> bytes:
        if dice.random() < 0.2:
            return encoded(damage_text(json.dumps(dice.choice(given)), dice))
        parts = [as_json(damage_json(dice.choice(given), dice)) for _ in range(1 + lines)]
        return b"\n".join(parts) + b"\n" * lines

    return make


def _read(*parts: str) -> Callable[[Path], Path]:
    return lambda folder: folder.joinpath(*parts)


_WHOLE = {
    "classifier": _read("done", "model.safetensors"),
    "reader": _read("reader.safetensors"),
    "state": _read("run", "resume.safetensors"),
}
_MAKERS: dict[str, Callable[[Path], Damaged]] = {
    "classifier": partial(_bytes, lambda f: [_WHOLE["classifier"](f).read_bytes()]),
    "classifier-header": partial(_header, _WHOLE["classifier"]),
    "reader": partial(_bytes, lambda f: [_WHOLE["reader"](f).read_bytes()]),
    "reader-header": partial(_header, _WHOLE["reader"]),
    "state": partial(_bytes, lambda f: [_WHOLE["state"](f).read_bytes()]),
    "state-header": partial(_header, _WHOLE["state"]),
    "config": partial(_json, lambda f: [json.loads((f / "run/config.json").read_text())]),
    "metrics": partial(
        _json, lambda f: [json.loads((f / "done/metrics.jsonl").read_text())], lines=True
    ),
    "calibration": partial(_json, lambda f: [json.loads(calibration_path().read_text())]),
    "weights": partial(_bytes, foreign.found),
    "weights-torch": partial(_bytes, lambda f: foreign.of_torch()),
    "weights-pickled": partial(_bytes, lambda f: foreign.pickled()),
    "weights-index": partial(
        _json, lambda f: [json.loads((f / foreign.SHARDED / INDEX).read_text())]
    ),
    "weights-part": partial(_bytes, lambda f: [(f / foreign.SHARDED / PART).read_bytes()]),
    "weights-tensorflow": partial(
        _bytes, lambda f: [(f / foreign.TENSORFLOW / CHECKPOINT).read_bytes()]
    ),
    "weights-hdf5": partial(_bytes, foreign.hdf5),
    "exported": partial(_bytes, lambda f: [foreign.onnx(f)]),
    "image": partial(_bytes, lambda f: images()),
    "pdf": partial(_bytes, lambda f: [pdf()]),
    "cheques": partial(_bytes, lambda f: [letter(), letter(b"\r\n")]),
    "template": partial(_text, lambda f: [(f / "form.toml").read_text()]),
    "truth": partial(_text, lambda f: ["file\tdigits\tstatus\na.png\t407\tread\nb.png\t12\t\n"]),
    "settings": partial(_text, lambda f: [TOML]),
    "csv": partial(
        _text, lambda f: [csv(random.Random(0)), "path,label\na.png,1\nb.png,2\na.png,1\n"]
    ),
    "npz": partial(_bytes, lambda f: [(f / "data.npz").read_bytes()]),
    "parquet": partial(_bytes, lambda f: [parquet(f)]),
    "idx": partial(_bytes, lambda f: [(f / "idx/train-images-idx3-ubyte").read_bytes()]),
    "pattern": partial(_text, lambda f: list(PATTERNS)),
    "codes": partial(_text, lambda f: ["10405\n2270\n99-1\n1.5\n"]),
    "answers": partial(_json, lambda f: [ANSWER], lines=True),
    "command-line": partial(_json, lambda f: [list(words) for words in COMMANDS]),
}
