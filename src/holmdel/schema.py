"""The schema of a setting: its name, type, range, choices, default and help; reading, checking."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holmdel.errors import UserError

_LONGEST = 100  # characters of a value in a sentence
_MOST_COUNTS = 64
ABOVE_ZERO = 1e-9  # the least value of a number that must not be 0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting of a training or an option of a network.

    Attributes:
        name: its name in Python and TOML; on the command line `-` stands for `_`.
        type: `bool`, `int`, `float`, `str`, or `tuple` for a height and a width; in files also
            `texts`, `object`, `list`, `counts`, and `shape` for channels, height and width.
        help: what it does, as a phrase.
        default: without a recipe; options of networks have a default per network.
        optional: whether None is a value too.
        choices: the texts that it may be; empty for any.
        least, most: the range of a number, or of height and width each, both included.
        common: whether the command line shows it among its first flags.
        from_data: whether a training takes it from the data set.
        request: what differs where a request to the server gives it; None if none may.
    """

    name: str
    type: str
    help: str = ""
    default: Any = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    common: bool = False
    from_data: bool = False
    request: Mapping[str, Any] | None = None

    @property
    def flag(self) -> str:
        """Its name on the command line: `--batch-size`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def expected(self) -> str:
        """What a value must be, as the end of a sentence."""
        if self.choices:
            return f"choose from {', '.join(self.choices)}"
        return f"expected {_NAMES[self.type]}{self.range}"

    @property
    def bounded(self) -> bool:
        """Whether only some values of its type will do."""
        return bool(self.choices) or self.least > -math.inf or self.most < math.inf

    def read(self, value: Any) -> Any:
        """Returns a value as this setting's type; a text is read as the command line gives it.

        Raises:
            UserError: if it is of another type or outside the range.

        >>> Setting(name="lr", type="float", help="learning rate").read("0.5")
        0.5
        """
        if value is None and self.optional:
            return None
        try:
            found = _READERS[self.type](value)
        except (ValueError, KeyError, TypeError):
            raise self._refusal(value) from None
        self.check(found)
        return found

    def check(self, value: Any) -> None:
        """Raises a UserError unless a value has this setting's type and lies in its range."""
        if value is None and self.optional:
            return
        numbers = value if self.type in _SIDES else [value] if self.type in _NUMBERS else []
        if (
            not _TYPES[self.type](value)
            or (self.choices and value not in self.choices)
            or not all(self.least <= number <= self.most for number in numbers)
        ):
            raise self._refusal(value)

    def for_requests(self) -> "Setting":
        """Returns the setting with the limits that a request to the server has."""
        return dataclasses.replace(self, **(self.request or {}))

    @property
    def range(self) -> str:
        """The range in words, behind what it is the range of; empty for none."""
        words = ", each" if self.type in _SIDES else ""
        if self.least == ABOVE_ZERO:
            words += " above 0"
        elif self.least > -math.inf:
            words += f" from {self.least:,}"
        return words + (f" to {self.most:,}" if self.most < math.inf else "")

    def _refusal(self, value: Any) -> UserError:
        return UserError(f"{self.name} was given as {_shortened(value)}; {self.expected}")


def _shortened(value: Any) -> str:
    """Returns a value as a sentence has it."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        raise TypeError
    return str(value)


def _finite(number: float) -> float:
    if math.isinf(number):  # as 1e400 is
        raise ValueError
    return number


def _size(parts: Iterable[Any]) -> tuple[int, int]:
    height, width = map(int, parts)
    return height, width


_NAMES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "tuple": "height and width, such as 28x28",
    "shape": "channels, height and width",
    "counts": "whole numbers",
    "texts": "one text or more",
    "object": "names and values",
    "list": "a list",
}
_NUMBERS = ("int", "float")
_SIDES = ("tuple", "shape", "counts")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_READERS: dict[str, Callable[[Any], Any]] = {
    "bool": lambda value: _BOOLEANS[str(value).lower()],
    "int": lambda value: int(str(value)),
    "float": lambda value: _finite(float(value)),
    "str": _text,
    "tuple": lambda value: _size(value.split("x") if isinstance(value, str) else value),
}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "tuple": lambda value: _are_sides(value, 2),
    "shape": lambda value: _are_sides(value, 3),
    "counts": lambda value: _are_sides(value, None),
    "texts": lambda value: (
        isinstance(value, tuple | list)
        and len(value) > 0
        and all(isinstance(text, str) for text in value)
    ),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list | tuple),
}


def _are_sides(value: Any, count: int | None) -> bool:
    return (
        isinstance(value, tuple | list)
        and (len(value) == count if count else len(value) <= _MOST_COUNTS)
        and all(isinstance(side, int) and not isinstance(side, bool) for side in value)
    )


def setting(default: Any, help: str, **about: Any) -> Any:
    """Returns a dataclass field that is a `Setting`; `about` are further attributes of it."""
    return field(default=default, metadata={"help": help, **about})


def schema(settings: type) -> dict[str, Setting]:
    """Returns the settings that are the fields of a dataclass, by name."""
    found = {}
    for one in dataclasses.fields(settings):
        annotation = getattr(one.type, "__name__", str(one.type))
        kind, _, none = annotation.partition(" | ")
        found[one.name] = Setting(
            name=one.name, type=kind, default=one.default, optional=bool(none), **one.metadata
        )
    return found


def check_fields(settings: Any) -> None:
    """Raises a UserError for a field of a dataclass of settings that is outside its range."""
    for name, about in schema(type(settings)).items():
        about.check(getattr(settings, name))


def read_record(
    values: Any, fields: Iterable[Setting], what: str, *, more: bool = False
) -> dict[str, Any]:
    """Returns the fields of a JSON object, each checked; those left out have their defaults.

    A field without a default must be there, unless it may be None.

    Args:
        values: what JSON gave.
        fields: what it may have.
        what: names the object in a sentence, such as "the header of m.safetensors".
        more: whether other fields are passed over.

    Raises:
        UserError: if it is no object, or a field is missing, not known, of another type or out of
            range.
    """
    if not isinstance(values, dict):
        raise UserError(f"{what} is {_shortened(values)}; expected names and values")
    known = {about.name: about for about in fields}
    unknown = [name for name in values if name not in known]
    if unknown and not more:
        raise UserError(
            f"{what} has the field {_shortened(unknown[0])}, which this version does not know; it "
            f"knows {', '.join(known)}; upgrade holmdel"
        )
    found: dict[str, Any] = {}
    for name, about in known.items():
        default = None if about.default is dataclasses.MISSING else about.default
        if name not in values and default is None and not about.optional:
            raise UserError(f"{what} has no {name!r}; expected a file that holmdel wrote")
        found[name] = values.get(name, default)
        try:
            about.check(found[name])
        except UserError as error:
            raise UserError(f"{what}: {error}") from None
    return found


def read_json(text: str, what: str) -> Any:
    """Returns what a JSON text says.

    Raises:
        UserError: if it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{what} is no JSON ({str(error)[:100]})") from None


def read_config(path: Path, known: Iterable[str]) -> dict[str, Any]:
    """Returns the settings of a TOML file, by name.

    Args:
        path: the file.
        known: the names of the settings that there are.

    Raises:
        UserError: if the file is missing, is not TOML, or has a key that is no setting.
    """
    values = _toml(path)
    for name in values:
        if name not in known:
            raise UserError(
                f"{path} has the key {_shortened(name)}, which is no setting; choose from "
                f"{', '.join(known)}, or give it on the command line"
            )
    return values


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # for settings alone

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the settings file {path} cannot be read ({error})") from None
    except (ValueError, RecursionError) as error:
        reason = str(error)[:100]
        raise UserError(f"{path} is not TOML ({reason}); write lines such as lr = 0.9") from None
