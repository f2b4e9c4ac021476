"""Doors out: a model as a file of another program, which answers the same.

`export` writes a classifier in one of `FORMATS`, and compares the file with the network in the
file's own runtime before it says done.
"""

import importlib
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.export.check import Report
from holmdel.export.subject import Subject, generated

_HOMES = {  # each format's module, which has a function `to_FORMAT`
    "onnx": "onnx_export",
    "c": "c_export",
    "html": "html_export",
    "openvino": "openvino_export",
    "ncnn": "ncnn_export",
    "tflite": "tflite_export",
    "pt2": "torch_exports",
    "torchscript": "torch_exports",
    "safetensors": "torch_exports",
}
FORMATS = tuple(_HOMES)

__all__ = ["FORMATS", "Report", "Subject", "export", "generated"]


def export(
    subject: Subject, out: str | Path, to: str = "onnx", *, force: bool = False, **options: Any
) -> Report:
    """Writes a classifier in a format of another program; returns how it compares.

    Args:
        subject: what is exported.
        out: a file; for `c`, a folder.
        to: one of `FORMATS`.
        force: whether files that are there may be replaced.
        options: those of the format that were given.

    Raises:
        UserError: for an unknown format or option, a network that cannot go into it, a file that
            is there or cannot be written, or one that answers otherwise than the network.
    """
    if to not in FORMATS:
        raise UserError(f"there is no format {to!r}; choose from {', '.join(FORMATS)}")
    write = getattr(importlib.import_module(f"holmdel.export.{_HOMES[to]}"), f"to_{to}")
    known = write.__kwdefaults__
    for name in options:
        if name not in known:
            raise UserError(f"--{name.replace('_', '-')} is no option of {to}")
    report: Report = write(subject, Path(out), force=force, **options)
    return report
