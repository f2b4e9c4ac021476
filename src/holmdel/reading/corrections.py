"""A person's word on a line, put in place of what the reader made of it."""

import re
from collections.abc import Sequence
from typing import Any

CHECKED = "checked"  # the status of a line that a person looked at
NO_DIGITS = "no digits"  # why a line is skipped on which a person saw none

Answer = dict[str, Any]  # of `holmdel read`, as JSON has it


def corrected(answer: Answer, said: Sequence[str | None]) -> Answer:
    """Returns an answer with what a person said of its lines.

    Where the digits are others, marks stay if there are as many digits as before, and so does how
    they make cents. Any other value is no longer known and left out, with `"unknown": true`.

    Args:
        answer: see `Reading.to_json`; it stays as it is.
        said: digits a line, an empty text for none, or None where nothing was said.
    """
    lines, skipped = [], list(answer.get("skipped", ()))
    for line, digits in zip(answer["lines"], said, strict=True):
        if digits is None:
            lines.append(line)
        elif digits:
            lines.append(_replaced(line, digits))
        else:
            named = {"field": line["field"]} if "field" in line else {}
            skipped.append({**named, "box": line["box"], "reason": NO_DIGITS})
    return answer | {"lines": lines} | ({"skipped": skipped} if skipped else {})


def _replaced(line: Answer, digits: str) -> Answer:
    """Returns a line that says other digits, or the same."""
    now = line | {"text": digits, "status": CHECKED, "confidence": 1.0}
    if digits == line["text"]:
        return now
    for name in ("raw", "value", "digits"):
        now.pop(name, None)
    if len(digits) == len(line["text"]):
        now |= _marked(line, digits)
    return now | ({"unknown": True} if "value" in line and "value" not in now else {})


def _marked(line: Answer, digits: str) -> Answer:
    """Returns the text with marks and the cents of as many other digits, as far as is known."""
    found: Answer = {}
    if "raw" in line and len(re.findall(r"\d", line["raw"])) == len(digits):
        places = iter(digits)
        found["raw"] = re.sub(r"\d", lambda _: next(places), line["raw"])
    cents, units = line.get("value", {}).get("cents"), int(line["text"])
    if cents and cents in (units, 100 * units):
        found["value"] = line["value"] | {"cents": int(digits) * (cents // units)}
    return found
