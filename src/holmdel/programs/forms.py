"""Programs compared: what one calls, whatever its values are called."""

from typing import Any

from holmdel.programs.program import REFERENCE, SUMS

Record = dict[str, Any]


def form_of(record: Record) -> Any:
    """Returns a program without the names of its values, which depend on what else there is."""
    if "calls" not in record:
        return record
    calls = record["calls"]
    named = [*record["inputs"], *(call["name"] for call in calls)]
    places = {REFERENCE + name: place for place, name in enumerate(named)}

    def placed(value: Any) -> Any:
        return places.get(value, value) if isinstance(value, str) else value

    paths = list(dict.fromkeys(call["layer"] for call in calls))
    forms = [
        (
            paths.index(call["layer"]),
            form_of(record["layers"].get(call["layer"], {})),
            call["operator"],
            [placed(value) for value in call["arguments"]],
            call["named"],
        )
        for call in calls
    ]
    return forms, [placed(value) for value in record["outputs"]], record["tensors"]


def last_kind(program: Record) -> str | None:
    """Returns the kind of the layer that gives what a program gives; None where a call does.

    >>> last_kind({"kind": "Linear", "options": {}})
    'Linear'
    """
    if "calls" not in program:
        return str(program["kind"])
    last = [call for call in program["calls"] if program["outputs"] == [REFERENCE + call["name"]]]
    return last_kind(program["layers"][last[0]["layer"]]) if last and last[0]["layer"] else None


def is_layers_and_sums(program: Record) -> bool:
    """Returns whether a program calls nothing but layers and sums of two values."""
    if "calls" not in program:
        return True
    calls = all(
        call["layer"] is not None
        or (call["operator"] in SUMS and len(call["arguments"]) == 2 and not call["named"])
        for call in program["calls"]
    )
    layers = program["layers"].values()
    return calls and not program["tensors"] and all(map(is_layers_and_sums, layers))
