"""A form's template: its fields by name, and the picture of the form that pages are laid on.

On disk it is `NAME.toml`, to be edited by hand, and `NAME-reference.png` beside it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from holmdel.errors import UserError
from holmdel.files import write_bytes
from holmdel.images.decoding import ImageLike, decode, grey_page
from holmdel.reading.answers import Grey, to_png
from holmdel.reading.form_boxes import Found, find_boxes, label_of
from holmdel.reading.image import even_light, sheet, working
from holmdel.reading.template_fields import (
    DECIMALS,
    HEAD,
    Shares,
    TemplateField,
    check_keys,
    parse_toml,
    quoted,
    read_field,
    to_entry,
)
from holmdel.reading.tesseract import words_of

VERSION = 1
_PAPER = 235  # brightness of a reference from which all is paper
_FRAME, _NAME = (40, 40, 220), (200, 90, 30)  # red, green, blue


@dataclass(frozen=True, eq=False)
class Template:
    """The fields of a form and its picture.

    Attributes:
        fields: in the order in which a person reads them.
        reference: uint8 (h, w), the form upright, in even light, dark on white.
        name: what sentences about it call it.
    """

    fields: tuple[TemplateField, ...]
    reference: Grey
    name: str = "the template"

    @classmethod
    def of(cls, image: ImageLike, *, empty: bool = False) -> "Template":
        """Returns the template of a sheet: its boxes and combs are its fields.

        Args:
            image: a sheet of the form, upright, empty or filled in.
            empty: nothing is written on it, so that what stands inside of its boxes is print.

        Raises:
            UserError: if the image cannot be used or has no boxes.
        """
        small, scale = working(grey_page(image))
        page = sheet(even_light(small), scale, 0)
        boxes = find_boxes(page.ink, page.light)
        if not boxes.found:
            raise UserError(
                f"no box or comb of boxes was found on {_named(image)}; expected a sheet of a "
                "form on which digits are written in boxes"
            )
        reference = np.where(page.light < _PAPER, page.light, 255).astype(np.uint8)
        if not empty:
            reference[boxes.writing > 0] = 255
        words = words_of(reference)
        taken: set[str] = set()
        fields = []
        for number, found in enumerate(boxes.found, start=1):
            name = _free(label_of(found, words) or f"field-{number}", taken)
            fields.append(_field(name, found, reference.shape))
        return cls(tuple(fields), reference)

    @classmethod
    def load(cls, path: str | Path) -> "Template":
        """Returns the template of a TOML file and of the reference beside it.

        Raises:
            UserError: if there is no such file, or for the first mistake in it.
        """
        path = Path(path)
        values = parse_toml(path)
        check_keys(
            values, ("version", "reference", "sha256", "field"), ("width", "height"), str(path)
        )
        if values["version"] != VERSION:
            raise UserError(
                f"{path} is a template of version {values['version']}; expected {VERSION}"
            )
        entries = values["field"]
        if not isinstance(entries, list) or not entries:
            raise UserError(f"{path} has no fields; expected one [[field]] or more")
        fields = tuple(read_field(entry, n, path) for n, entry in enumerate(entries, start=1))
        names = [field.name for field in fields]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"{path} has two fields named {twice[0]!r}; give each its own name")
        return cls(fields, _reference(path, values["reference"], values["sha256"]), str(path))

    def save(self, path: str | Path) -> None:
        """Writes the TOML file, and the reference beside it as `NAME-reference.png`.

        Raises:
            UserError: if one of them exists or cannot be written.
        """
        path = Path(path)
        beside = reference_of(path)
        for file in (path, beside):
            if file.exists():
                raise UserError(f"{file} exists already; choose another --out")
        image = to_png(self.reference)
        write_bytes(beside, image)
        height, width = self.reference.shape
        head = HEAD.format(
            version=VERSION,
            reference=quoted(beside.name),
            sha256=hashlib.sha256(image).hexdigest(),
            width=width,
            height=height,
        )
        write_bytes(path, (head + "".join(to_entry(field) for field in self.fields)).encode())

    def draw(self) -> Grey:
        """Returns the form with a frame and a name at each field, uint8 (h, w, 3)."""
        drawn = np.repeat(self.reference[:, :, None], 3, axis=2)
        for field in self.fields:
            x, y, w, h = (round(side) for side in field.within(self.reference.shape))
            for cell in range(field.cells):
                left, right = (x + round(w * n / field.cells) for n in (cell, cell + 1))
                cv2.rectangle(drawn, (left, y), (right, y + h), _FRAME, 2)
            font = cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(drawn, field.name, (x, y - 4), font, 0.6, _NAME, 2, cv2.LINE_AA)
        return drawn


def reference_of(path: Path) -> Path:
    """Returns the path of the reference beside a template."""
    return path.with_name(f"{path.stem}-reference.png")


def _named(image: ImageLike) -> str:
    return str(image) if isinstance(image, str | Path) else "the image"


def _free(name: str, taken: set[str]) -> str:
    """Returns the name, with a number where it is taken, and takes it."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free


def _field(name: str, found: Found, shape: Sequence[int]) -> TemplateField:
    x, y, w, h = found.box
    box = x / shape[1], y / shape[0], w / shape[1], h / shape[0]
    cells = len(found.cells)
    pattern = f"digits:{cells}" if cells > 1 or found.narrow else "digits"
    return TemplateField(name, _rounded(box), pattern, cells)


def _rounded(box: Shares) -> Shares:
    x, y, w, h = (round(share, DECIMALS) for share in box)
    return x, y, w, h


def _reference(path: Path, name: Any, sha256: Any) -> Grey:
    """Returns the picture that a template was made with."""
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise UserError(
            f"{path}: reference was given as {name!r}; expected the name of a file beside it"
        )
    file = path.with_name(name)
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{str(file)!r}, the reference of {path}, cannot be read ({reason}); it belongs beside "
            "the template"
        ) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(
            f"{file} is not the reference that {path} was written with (its sha256 differs); copy "
            "both again, or make the template anew"
        )
    return decode(content, 1)[:, :, 0]
