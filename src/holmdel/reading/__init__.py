"""From a picture of paper to the digits that somebody wrote there.

The names are loaded when first used: what looks for files, or writes answers, needs no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holmdel.reading.answers import Cheque as Cheque
    from holmdel.reading.answers import Digit as Digit
    from holmdel.reading.answers import Line as Line
    from holmdel.reading.answers import Reading as Reading
    from holmdel.reading.answers import Skipped as Skipped
    from holmdel.reading.answers import to_png as to_png
    from holmdel.reading.assessment import Assessment as Assessment
    from holmdel.reading.assessment import Said as Said
    from holmdel.reading.assessment import assess_folder as assess_folder
    from holmdel.reading.assessment import calibrate as calibrate
    from holmdel.reading.cheques import items as items
    from holmdel.reading.filled import Form as Form
    from holmdel.reading.labelled import LabelledString as LabelledString
    from holmdel.reading.labelled import read_labelled as read_labelled
    from holmdel.reading.reader import Reader as Reader
    from holmdel.reading.reader import read as read
    from holmdel.reading.record import Read as Read
    from holmdel.reading.record import Record as Record
    from holmdel.reading.record import to_line as to_line
    from holmdel.reading.stream import ReaderSettings as ReaderSettings
    from holmdel.reading.stream import read_stream as read_stream
    from holmdel.reading.template import Template as Template
    from holmdel.reading.template_fields import TemplateField as TemplateField
    from holmdel.reading.trust import Trust as Trust
    from holmdel.reading.trust import fit_trust as fit_trust

_HOMES = {
    "Assessment": "holmdel.reading.assessment",
    "Cheque": "holmdel.reading.answers",
    "Digit": "holmdel.reading.answers",
    "Form": "holmdel.reading.filled",
    "LabelledString": "holmdel.reading.labelled",
    "Line": "holmdel.reading.answers",
    "Read": "holmdel.reading.record",
    "Reader": "holmdel.reading.reader",
    "ReaderSettings": "holmdel.reading.stream",
    "Reading": "holmdel.reading.answers",
    "Record": "holmdel.reading.record",
    "Said": "holmdel.reading.assessment",
    "Skipped": "holmdel.reading.answers",
    "Template": "holmdel.reading.template",
    "TemplateField": "holmdel.reading.template_fields",
    "Trust": "holmdel.reading.trust",
    "assess_folder": "holmdel.reading.assessment",
    "calibrate": "holmdel.reading.assessment",
    "fit_trust": "holmdel.reading.trust",
    "items": "holmdel.reading.cheques",
    "read": "holmdel.reading.reader",
    "read_labelled": "holmdel.reading.labelled",
    "read_stream": "holmdel.reading.stream",
    "to_line": "holmdel.reading.record",
    "to_png": "holmdel.reading.answers",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Returns a public name from its home, importing that on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'holmdel.reading' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
