"""The settings that are tried out: a TOML file of lists, ranges and single values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.networks import network_options
from holmdel.schema import Setting, read_config
from holmdel.settings import OPTIONS, TRAINING

_RANGE = ("low", "high", "log")
_APART = ("epochs", "seed", "device")  # flags of `holmdel tune`


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; with `log`, each factor as often as the next."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


Space = dict[str, "list[Any] | Range"]


def read_space(path: Path, network: str) -> tuple[Space, dict[str, Any]]:
    """Returns what is tried out, and the settings that stay the same.

    Args:
        path: a TOML file: `lr = {low = 0.01, high = 1.0, log = true}`, `batch_size = [64, 256]`,
            `recipe = "modern"`.
        network: whose options may be tried too.

    Raises:
        UserError: for a setting that there is not, a value outside its range, or nothing to try.
    """
    known = {**TRAINING, **{name: OPTIONS[name] for name in network_options(network)}}
    values = read_config(path, dict.fromkeys(known))
    space: Space = {}
    fixed: dict[str, Any] = {}
    for name, value in values.items():
        if name in _APART:
            raise UserError(f"{name} was given in {path}; give --{name} instead")
        if isinstance(value, list) and known[name].type != "tuple":
            space[name] = _choices(known[name], value, path)
        elif isinstance(value, Mapping):
            space[name] = _range(known[name], value, path)
        else:
            fixed[name] = known[name].read(value)
    if not space:
        raise UserError(
            f"{path} has nothing to try; expected a list or a range, such as "
            "lr = {low = 0.01, high = 1.0, log = true}"
        )
    return space, fixed


def _choices(setting: Setting, values: list[Any], path: Path) -> list[Any]:
    if not values:
        raise UserError(f"{setting.name} is an empty list in {path}; expected values to try")
    return [setting.read(value) for value in values]


def _range(setting: Setting, given: Mapping[str, Any], path: Path) -> Range:
    wrong = sorted({*given} - {*_RANGE}) or [n for n in _RANGE[:2] if n not in given]
    if wrong or setting.type not in ("int", "float"):
        raise UserError(
            f"{setting.name} was given as {dict(given)} in {path}; expected a list, or for a "
            "number {low = ..., high = ..., log = true}"
        )
    low, high = (setting.read(given[name]) for name in ("low", "high"))
    log = given.get("log", False) is True
    if low >= high or (log and low <= 0):
        raise UserError(
            f"{setting.name} goes from {low} to {high} in {path}; expected low below high, and "
            "above 0 with log"
        )
    return Range(low, high, log, setting.type == "int")
