"""A contender in a process of its own: the engine held to one instruction set, training LeNet.

The parent starts this script and asks it for turns, a line each; while the parent's contenders run
it waits.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from holmdel.benchmark.rounds import Contender, Maker, Missing

VARIABLE = "HOLMDEL_INSTRUCTIONS"


@contextmanager
def engine_with(name: str, instructions: str, batch: int, threads: int) -> Iterator[Maker]:
    """Gives the maker of a contender that trains with these instructions alone.

    The process ends with the context.

    Args:
        name: the contender's.
        instructions: `avx512`, `avx2` or `portable`.
        batch: examples a step.
        threads: of the engine.
    """
    command = [sys.executable, __file__, str(batch), str(threads)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | {VARIABLE: instructions},
    ) as child:
        try:
            yield lambda: _contender(name, child, instructions, batch)
        finally:
            child.kill()


def _contender(
    name: str, child: "subprocess.Popen[str]", instructions: str, batch: int
) -> Contender:
    first = _answer(child)
    if first["instructions"] != instructions:
        raise Missing(first["line"])

    def turn(calls: int) -> float:
        assert child.stdin
        child.stdin.write(f"{calls}\n")
        child.stdin.flush()
        return float(_answer(child)["seconds"])

    return Contender(name, batch, turn)


def _answer(child: "subprocess.Popen[str]") -> dict[str, str]:
    assert child.stdout
    line = child.stdout.readline()
    if not line:
        raise Missing("its process ended early")
    answer: dict[str, str] = json.loads(line)
    return answer


def main() -> None:
    """Says which engine is at work, then answers each line `CALLS` with the seconds of a turn."""
    import torch

    from holmdel.benchmark.contenders import fused_step
    from holmdel.benchmark.rounds import repeated
    from holmdel.benchmark.workload import lenet
    from holmdel.errors import UserError

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("batch", type=int)
    parser.add_argument("threads", type=int)
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    try:
        from holmdel import engine

        turn = repeated(fused_step(lenet(words.batch)))
    except (ImportError, UserError) as error:
        _say(instructions=None, line=str(error))
        return
    status = engine.status()
    _say(instructions=status.instructions, line=str(status))
    for line in sys.stdin:
        _say(seconds=turn(int(line)))


def _say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
