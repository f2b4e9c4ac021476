"""Files beside the image of a request to read: a form's template, or the list of what may stand."""

import tempfile
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holmdel.errors import UserError, quoted
from holmdel.server.errors import RequestError
from holmdel.server.services import READERS, reader

if TYPE_CHECKING:
    from holmdel.reading import Reader

TEMPLATE, REFERENCE, CODES = "template", "reference", "codes"  # fields of a form
BESIDE = (TEMPLATE, REFERENCE, CODES)
_LIST = "list:"


def reader_of(given: dict[str, bytes], pattern: str, lines: bool, max_error: float) -> "Reader":
    """Returns the reader that a request asks for.

    Args:
        given: files of the fields `BESIDE`.
        pattern: where no file says what may be written.
        lines: whether each image is one line.
        max_error: the part of strings that may be read wrongly.

    Raises:
        RequestError: 400 for files that do not go together.
        UserError: for a mistake in one of them, or as `reader` raises it.
    """
    if not given:
        return reader(pattern, lines, max_error)
    if CODES in given and len(given) == 1:
        return _by_codes(given[CODES], lines, max_error)
    if given.keys() != {TEMPLATE, REFERENCE}:
        raise RequestError(
            400,
            f"the form has {' and '.join(sorted(given))} beside the image; expected {TEMPLATE} and "
            f"{REFERENCE}, which belong together, or {CODES} alone",
        )
    return _by_template(given[TEMPLATE], given[REFERENCE], max_error)


@lru_cache(maxsize=READERS)
def _by_codes(codes: bytes, lines: bool, max_error: float) -> "Reader":
    from holmdel.reading import Reader  # loads slowly, and not every server reads

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / CODES
        file.write_bytes(codes)
        try:
            return Reader(pattern=f"{_LIST}{file}", lines=lines, max_error=max_error)
        except UserError as error:
            raise _without(error, folder) from None


@lru_cache(maxsize=READERS)
def _by_template(template: bytes, reference: bytes, max_error: float) -> "Reader":
    from holmdel.reading import Reader, Template

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.toml"
        path.write_bytes(template)
        name = _checked(template)
        if name and Path(name).name == name != path.name:
            _keep(reference, path.with_name(name))
        try:
            return Reader(template=Template.load(path), max_error=max_error)
        except UserError as error:
            raise _without(error, folder) from None


def _keep(reference: bytes, file: Path) -> None:
    """Writes the reference; refuses a name that no file can have."""
    try:
        file.write_bytes(reference)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{file.name!r}, the reference of the template, cannot be written ({reason}); expected "
            "the name of a file"
        ) from None


def _checked(template: bytes) -> str | None:
    """Returns what a template calls its reference; refuses fields that name files of the server."""
    try:
        values: dict[str, Any] = tomllib.loads(template.decode())
    except ValueError:
        return None  # which Template.load says better
    fields = values.get("field")
    for field in fields if isinstance(fields, list) else []:
        pattern = field.get("pattern") if isinstance(field, dict) else None
        if isinstance(pattern, str) and pattern.startswith(_LIST):
            raise UserError(
                f"pattern {quoted(pattern)} of the template names a file of the server, which "
                "requests cannot read; expected a pattern without a list"
            )
    name = values.get("reference")
    return name if isinstance(name, str) else None


def _without(error: UserError, folder: str) -> UserError:
    """Returns a sentence about files as they were sent, not as they lay on this server."""
    return UserError(str(error).replace(f"{folder}/", ""))
