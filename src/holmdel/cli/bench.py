"""`holmdel bench`: Holmdel beside PyTorch, ONNX Runtime and the book's loop."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holmdel.cli import app

if TYPE_CHECKING:
    from holmdel.benchmark.rounds import Conditions

NOTE = (
    "Every contender has its turn in every round; ratios are taken inside a round, and the median "
    "stands before lowest and highest. docs/bench.md lists the cases and how they are measured."
)


@app.command(epilog=NOTE)
def bench(
    rounds: Annotated[
        int, typer.Option(min=1, help="Turns of each contender; seeds of --time-to-accuracy.")
    ] = 5,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of every contender; all cores if not given.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.001, help="That a turn takes.")] = 0.5,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CASE", help="Run this case; may be repeated.")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="CONTENDER", help="Leave this one out; may be repeated."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Pictures of an epoch, at most.")
    ] = None,
    data_root: Annotated[Path | None, typer.Option(help="Where to look for data first.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a JSON file a case, and the curves' pictures.")
    ] = None,
    time_to_accuracy: Annotated[
        bool, typer.Option("--time-to-accuracy", help="Time processes that train to 0.90 and 0.99.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Measure Holmdel beside PyTorch, ONNX Runtime and the book's loop, in one run."""
    from holmdel.benchmark.machine import cores
    from holmdel.benchmark.rounds import Conditions

    conditions = Conditions(
        threads=threads or cores(),
        rounds=rounds,
        seconds=seconds,
        without=tuple(without or ()),
        limit=limit,
        data_root=data_root,
    )
    if time_to_accuracy:
        return _time_to_accuracy(conditions, out, as_json)
    return _cases(conditions, only or [], out, as_json)


def _cases(conditions: "Conditions", only: list[str], out: Path | None, as_json: bool) -> int:
    """Runs the cases, telling of each as it ends: on standard error where JSON is asked for."""
    from holmdel.benchmark.cases import choose_cases, run_case
    from holmdel.benchmark.report import head, surroundings, write_result

    names = choose_cases(only, conditions)
    around = surroundings(conditions)
    typer.echo(head(around), err=as_json)
    found: dict[str, Any] = {}
    for name in names:
        result = run_case(name, conditions)
        found[name] = result.to_json()
        typer.echo("\n" + "\n".join(result.lines()), err=as_json)
        if out is not None:
            write_result(out, name, around, found[name], result.draw())
    if out is not None:
        typer.echo(f"\nwrote {len(names)} results to {out}", err=as_json)
    if as_json:
        typer.echo(json.dumps({**around, "cases": found}))
    return 0


def _time_to_accuracy(conditions: "Conditions", out: Path | None, as_json: bool) -> int:
    """Times the processes and prints a line a goal, or the object that scripts read."""
    from holmdel.benchmark.goals import time_to_accuracy
    from holmdel.benchmark.report import surroundings, write_result

    around = surroundings(conditions)
    reached = time_to_accuracy(conditions)
    if out is not None:
        goals = {name: found.to_json() | found.asked() for name, found in reached.items()}
        write_result(out, "time-to-accuracy", around, {"goals": goals}, {})
    for name, found in reached.items():
        typer.echo(found.line(name), err=as_json)
    if as_json:
        typer.echo(json.dumps({name: found.to_json() for name, found in reached.items()}))
    return 0
