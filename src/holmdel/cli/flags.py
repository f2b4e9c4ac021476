"""Flags of a verb that come from the schema of settings."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from holmdel.schema import Setting

Verb = TypeVar("Verb", bound=Callable[..., Any])
METAVARS = {"int": "N", "float": "X", "str": "TEXT", "tuple": "HxW"}
Groups = Mapping[str | None, Iterable[Setting]]


def takes(groups: Groups) -> Callable[[Verb], Verb]:
    """Gives a verb a flag for each setting, in place of its `**given`; not given is None.

    Args:
        groups: settings by the heading that they stand under in the help; None is the first group.
    """

    def decorate(verb: Verb) -> Verb:
        signature = inspect.signature(verb, eval_str=True)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        known = {one.name for one in own}
        flags = []
        for heading, settings in groups.items():
            for setting in settings:
                if setting.name not in known:
                    known.add(setting.name)
                    flags.append(_parameter(setting, heading))
        headings = list(dict.fromkeys([None, *groups, *map(_heading, own)]))
        ordered = sorted([*own, *flags], key=lambda one: headings.index(_heading(one)))
        vars(verb)["__signature__"] = signature.replace(
            parameters=[one.replace(kind=one.KEYWORD_ONLY) for one in ordered]
        )
        return verb

    return decorate


def settings_among(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings that were given, by name."""
    return {name: value for name, value in given.items() if value is not None}


def _heading(parameter: inspect.Parameter) -> str | None:
    """Returns the heading that a parameter of a verb stands under."""
    about = getattr(parameter.annotation, "__metadata__", [None])[0]
    return getattr(about, "rich_help_panel", None)


def _parameter(setting: Setting, heading: str | None) -> inspect.Parameter:
    """Returns a flag; its value stays a text, which the schema reads, unless it is yes or no."""
    flag = setting.type == "bool"
    name = f"{setting.flag}/--no-{setting.flag[2:]}" if flag else setting.flag
    about = typer.Option(
        name,
        metavar=None if flag else METAVARS[setting.type],
        help=_help(setting),
        rich_help_panel=heading,
        show_default=False,
    )
    kind: Any = Annotated[bool | None, about] if flag else Annotated[str | None, about]
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind
    )


def _help(setting: Setting) -> str:
    """Returns a sentence: what a setting does, its range and its default."""
    notes = [setting.range.strip(" ,")] if setting.range and setting.type != "tuple" else []
    if setting.choices:
        notes.append(", ".join(setting.choices))
    if setting.default is not None and setting.type != "bool":
        notes.append(f"default {setting.default}")
    sentence = setting.help[:1].upper() + setting.help[1:]
    return f"{sentence} ({'; '.join(notes)})." if notes else f"{sentence}."
