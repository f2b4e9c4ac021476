"""The short way to `holmdel predict FILE IMAGE...` of an exported file.

The command line as a whole takes longer to load than such a file to answer. Only what is spelled
out here goes this way; all else, mistakes and help too, goes to `app`.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

FORMS = ("table", "jsonl", "csv")
TOP = 3  # classes named, as `predict` has it


@dataclass(frozen=True)
class Asked:
    """What is asked of `predict`: the model's file, images, `--format` and `--top`."""

    model: str
    paths: list[str]
    form: str
    top: int


def asked(words: Sequence[str]) -> Asked | None:
    """Returns what a command line asks; None unless it is `predict` with these two flags at most.

    >>> asked(["predict", "m.onnx", "a.png", "--top=2"])
    Asked(model='m.onnx', paths=['a.png'], form='table', top=2)
    >>> asked(["predict", "m.onnx", "a.png", "--show", "seen"])
    """
    found: list[str] = []
    values = {"--format": FORMS[0], "--top": str(TOP)}
    rest = iter(words[1:])
    for word in rest:
        name, inside, value = word.partition("=")
        if name in values:
            values[name] = value if inside else next(rest, "")
        elif word.strip() and (word == "-" or not word.startswith("-")):
            found.append(word)
        else:
            return None
    form, top = values["--format"], values["--top"]
    plain = form in FORMS and top.isascii() and top.isdecimal() and len(top) < len("1,000,000")
    if words[:1] != ["predict"] or len(found) < len(("model", "image")) or not plain:
        return None
    return Asked(found[0], found[1:], form, int(top)) if int(top) else None


def run(words: list[str]) -> None:
    """Does what is asked and exits with its status; returns where it is for `app`."""
    told = asked(words)
    if told is None or not told.model.endswith((".onnx", ".safetensors")):
        return
    from holmdel.cli.ending import ending

    with ending(words):
        from holmdel.runtime import is_exported

        if is_exported(told.model):
            from holmdel.cli.predicting import print_answers

            sys.exit(print_answers(told.model, told.paths, told.form, told.top))
