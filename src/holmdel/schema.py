"""The schema of a setting: its name, type, range, choices, default and help; reading, checking."""

import dataclasses
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holmdel.errors import UserError

ABOVE_ZERO = 1e-9  # the least value of a number that must not be 0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting of a training or an option of a network.

    Attributes:
        name: its name in Python and TOML; on the command line `-` stands for `_`.
        type: `bool`, `int`, `float`, `str`, or `tuple` for a height and a width.
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
    help: str
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
        numbers = value if self.type == "tuple" else [value] if self.type in _NUMBERS else []
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
        words = ", each" if self.type == "tuple" else ""
        if self.least == ABOVE_ZERO:
            words += " above 0"
        elif self.least > -math.inf:
            words += f" from {self.least:,}"
        return words + (f" to {self.most:,}" if self.most < math.inf else "")

    def _refusal(self, value: Any) -> UserError:
        return UserError(f"{self.name} was given as {value!r}; {self.expected}")


def _size(parts: Iterable[Any]) -> tuple[int, int]:
    height, width = map(int, parts)
    return height, width


_NAMES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "tuple": "height and width, such as 28x28",
}
_NUMBERS = ("int", "float")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_READERS: dict[str, Callable[[Any], Any]] = {
    "bool": lambda value: _BOOLEANS[str(value).lower()],
    "int": lambda value: int(str(value)),
    "float": float,
    "str": str,
    "tuple": lambda value: _size(value.split("x") if isinstance(value, str) else value),
}
_TYPES: dict[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "tuple": lambda value: (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(side, int) for side in value)
    ),
}


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


def read_config(path: Path) -> dict[str, Any]:
    """Returns the settings of a TOML file, by name.

    Raises:
        UserError: if the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the settings file {path} cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not TOML ({error}); write lines such as lr = 0.9") from None
