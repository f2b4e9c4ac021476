"""`holmdel bench`: how fast this machine trains and infers, beside what is installed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from holmdel.benchmark.rounds import Conditions

NOTE = (
    "Cases: train-lenet, train-lenet-max, infer-256, infer-1. Each contender has its turn in every "
    "round; a ratio is taken inside a round, and the median over the rounds stands before the "
    "lowest and the highest."
)


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
    data_root: Annotated[Path | None, typer.Option(help="Where to look for data first.")] = None,
    time_to_accuracy: Annotated[
        bool,
        typer.Option(
            "--time-to-accuracy",
            help="Time fresh processes that train the NumPy LeNet to 0.90 on Fashion-MNIST and "
            "to 0.99 on MNIST.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Measure training and inference beside PyTorch and other runtimes, in one run."""
    from holmdel.benchmark.machine import cores
    from holmdel.benchmark.rounds import Conditions

    without_these = tuple(without or ())
    conditions = Conditions(threads or cores(), rounds, seconds, without_these, data_root)
    if time_to_accuracy:
        return _time_to_accuracy(conditions, as_json)
    return _cases(conditions, only or [], as_json)


def _cases(conditions: "Conditions", only: list[str], as_json: bool) -> int:
    """Runs the cases, telling of each as it ends: on standard error where JSON is asked for."""
    from holmdel.benchmark.cases import CASES, choose_cases, threads_set
    from holmdel.benchmark.machine import conditions_of, head

    names = choose_cases(only, conditions)
    around = conditions_of(conditions.threads)
    typer.echo(head(around), err=as_json)
    found: dict[str, Any] = {}
    for name in names:
        with threads_set(conditions.threads):
            result = CASES[name](conditions)
        found[name] = result.to_json()
        typer.echo("\n" + "\n".join(result.lines()), err=as_json)
    if as_json:
        typer.echo(json.dumps({**around, "cases": found}))
    return 0


def _time_to_accuracy(conditions: "Conditions", as_json: bool) -> int:
    """Times the processes and prints a line a goal, or the object that scripts read."""
    from holmdel.benchmark.time_to_accuracy import GOALS, time_to_accuracy

    reached = time_to_accuracy(conditions)
    for name, found in reached.items():
        seconds, accuracy = found["seconds"], found["accuracy"]
        there = sum(value >= GOALS[name][1] for value in accuracy)
        typer.echo(
            f"{name}: {found['median']:.2f} s ({min(seconds):.2f}-{max(seconds):.2f}), the NumPy "
            f"LeNet; {there} of {len(seconds)} seeds reached it, lowest {min(accuracy):.4f}",
            err=as_json,
        )
    if as_json:
        typer.echo(json.dumps(reached))
    return 0
