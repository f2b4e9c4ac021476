"""From a picture of paper to the digits that somebody wrote there."""

from holmdel.reading.answers import Cheque, Digit, Line, Reading, Skipped, to_png
from holmdel.reading.assessment import Assessment, Said, assess_folder, calibrate
from holmdel.reading.cheques import items
from holmdel.reading.filled import Form
from holmdel.reading.labelled import LabelledString, read_labelled
from holmdel.reading.reader import Reader, read
from holmdel.reading.stream import Read, ReaderSettings, Record, read_stream, to_line
from holmdel.reading.template import Template
from holmdel.reading.template_fields import TemplateField
from holmdel.reading.trust import Trust, fit_trust

__all__ = [
    "Assessment",
    "Cheque",
    "Digit",
    "Form",
    "LabelledString",
    "Line",
    "Read",
    "Reader",
    "ReaderSettings",
    "Reading",
    "Record",
    "Said",
    "Skipped",
    "Template",
    "TemplateField",
    "Trust",
    "assess_folder",
    "calibrate",
    "fit_trust",
    "items",
    "read",
    "read_labelled",
    "read_stream",
    "to_line",
    "to_png",
]
