"""Rules taken off a picture in grey: they become as light as what is beside them, strokes stay."""

import numpy as np

from holmdel.reading.image import Picture, closed, opened

_RUN = 15  # pixels of a rule in one direction
_DEEP = 80  # percentile of a rule's pixels, its edges too: the rule itself


def without_rules(grey: Picture, rules: Picture) -> Picture:
    """Returns a picture without rules.

    No pixel becomes lighter by more than a rule is darker than its paper: what a pen left on it
    stays.

    Args:
        grey: uint8 (h, w), dark ink on lighter paper.
        rules: uint8 (h, w), 255 on them and on their edges.
    """
    lying, standing = opened(rules, 1, _RUN), opened(rules, _RUN, 1)
    grey = _without(grey, lying)
    return np.ascontiguousarray(_without(grey.T, standing.T).T)


def _without(grey: Picture, rules: Picture) -> Picture:
    """Returns a picture without the rules that lie."""
    there = rules > 0
    if not there.any():
        return grey
    beside = closed(np.ascontiguousarray(grey), 2 * round(_thickness(rules) / 2) + 3, 1)
    darker = float(np.percentile((beside - grey)[there], _DEEP))
    lifted = np.minimum(beside, grey.astype(np.float32) + darker).astype(np.uint8)
    return np.where(there, lifted, grey).astype(np.uint8)


def _thickness(rules: Picture) -> float:
    """Returns how thick lying rules are: the mean of their runs down."""
    there = rules > 0
    starts = int(there[0].sum()) + int((there[1:] & ~there[:-1]).sum())
    return int(there.sum()) / max(starts, 1)
