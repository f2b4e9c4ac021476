"""What calibrating on few strings of one's own costs, on the development cheques.

    python bench/few_strings.py [--draws 150]

So many cheques are drawn, the trust is fitted to them, alone and beside the model's own, and
what it reads of the other cheques is counted: per cent read right / wrongly, on average.
"""

import argparse
import os
import random
from collections.abc import Sequence
from pathlib import Path

import holmdel
from holmdel.reading import ReaderSettings, Trust, assess_folder, fit_trust
from holmdel.reading.calibration import own_trust
from holmdel.reading.model_file import model_file
from holmdel.reading.trust import contradicted
from read import audited

COUNTS = (20, 40, 80, 160, 320)
ERRORS = (0.005, 0.01, 0.02, 0.05)
String = tuple[float, bool]  # score, right


def strings(root: Path) -> list[String]:
    """Returns what is read of the cheques, by the audited truth."""
    found, labelled = assess_folder(root / "strings" / "cheques", ReaderSettings())
    truth = audited([s.path.name for s in labelled], [s.text for s in labelled])
    return [
        (said.score, said.text == text) for said, text in zip(found.strings, truth, strict=True)
    ]


def share(trust: Trust, others: Sequence[String], error: float) -> tuple[float, float]:
    """Returns which parts of strings are read right and wrongly."""
    at = trust.threshold(error)
    read = [right for score, right in others if trust.confidence(score) > at]
    return sum(read) / len(others), (len(read) - sum(read)) / len(others)


def measure(known: list[String], own: Trust, count: int, draws: int) -> None:
    """Prints the mean of many draws of so many strings."""
    draw, doubts = random.Random(count), 0
    sums = {(way, error): [0.0, 0.0] for way in ("alone", "beside") for error in ERRORS}
    for _ in range(draws):
        mixed = draw.sample(known, len(known))
        scores, right = zip(*mixed[:count], strict=True)
        doubt = contradicted(own, scores, right)
        doubts += doubt
        for way, prior in (("alone", None), ("beside", None if doubt else own)):
            trust = fit_trust(scores, right, prior, own.growth)
            for error in ERRORS:
                for k, part in enumerate(share(trust, mixed[count:], error)):
                    sums[way, error][k] += part / draws
    print(f"{count} strings; the model's own is contradicted in {doubts / draws:.0%} of the draws")
    for way in ("alone", "beside"):
        cells = (f"{e:g}: {sums[way, e][0]:.1%} / {sums[way, e][1]:.2%}" for e in ERRORS)
        print(f"  {way:7}", "   ".join(cells))


def main() -> None:
    """Prints all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=150)
    given = parser.parse_args()
    own = own_trust(model_file(None))
    assert own.promises
    known = strings(Path(os.environ["HOLMDEL_DATA"]))
    parts = (share(own, known, error) for error in ERRORS)
    print(
        f"holmdel {holmdel.__version__}, {len(known)} cheques; by itself:",
        *(
            f"{error:g}: {right:.1%} / {wrong:.2%}"
            for error, (right, wrong) in zip(ERRORS, parts, strict=True)
        ),
    )
    for count in COUNTS:
        measure(known, own, count, given.draws)


if __name__ == "__main__":
    main()
