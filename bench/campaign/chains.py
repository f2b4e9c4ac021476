"""Random chains in the native engine, built with sanitizers: learned by, asked and freed.

    python -m campaign.chains FIRST COUNT

runs in a process into which the sanitizers are preloaded, with HOLMDEL_LIBRARY_FOLDER naming the
sanitized libraries (`make sanitize` builds them); what they find ends it.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from holmdel import engine
from holmdel.errors import UserError

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "sanitized"
MOST = 33  # images of a batch
AUGMENTS = ("flip", "shift", "affine", "elastic")


def drawn() -> Any:
    """Returns the module that draws random chains, of the engine's tests."""
    spec = importlib.util.spec_from_file_location("drawn", ROOT / "tests" / "test_engine.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def try_chain(case: Any, seed: int) -> None:
    """Compiles a chain, learns by both optimizers, asks, copies and frees it."""
    chance = torch.Generator().manual_seed(seed)
    count = min(case.batch, MOST)
    shape = case.image.stored if case.as_bytes else case.image.input
    images = torch.randint(0, 256, (count, *shape), generator=chance, dtype=torch.uint8)
    given = images if case.as_bytes else images.float() / 255
    labels = torch.randint(0, case.classes, (count,), generator=chance)
    torch.set_num_threads(case.threads)
    chain = engine.compile(case.network.train(), case.image)
    optimizers = (torch.optim.SGD, torch.optim.AdamW)
    kind = optimizers[seed % 2](case.network.parameters(), lr=0.01)
    chain.step(given, labels, label_smoothing=case.smoothing)
    augment = AUGMENTS[: seed % 5] if case.as_bytes else ()
    with contextlib.suppress(engine.Unsupported):
        chain.train(given, labels, None, kind, clip=0.5 * (seed % 3), augment=augment)
    case.network.eval()
    chain.logits(given)
    chain.logits(given[:1])


def main() -> None:
    """Tries chains FIRST to FIRST + COUNT; prints how many."""
    first, count = map(int, sys.argv[1:])
    draw, done = drawn().draw, 0
    for seed in range(first, first + count):
        try:
            try_chain(draw(seed), seed)
        except engine.Unsupported:
            continue
        except UserError as error:
            if "one value" not in str(error):  # of a batch norm's channel
                raise
        done += 1
    print(json.dumps({"chains": done, "drawn": count}))


def campaign(seed: int, cases: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Returns how many chains ran clean, for each set of instructions that is built."""
    found: dict[str, Any] = {}
    libraries = [
        subprocess.run([os.environ.get("CXX", "c++"), f"-print-file-name={name}"],
                       check=True, capture_output=True, text=True).stdout.strip()
        for name in ("libasan.so", "libstdc++.so")
    ]  # fmt: skip
    around = {
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "HOLMDEL_LIBRARY_FOLDER": str(BUILT),
    }
    for name in ("avx2", "portable"):
        words = [sys.executable, "-m", "campaign.chains", str(seed * 10**6), str(cases // 2)]
        environment = os.environ | around | {"HOLMDEL_INSTRUCTIONS": name}
        run = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
        ended = run.stderr.strip().splitlines()[-30:] if run.returncode else []
        counted = json.loads(run.stdout.splitlines()[-1]) if not run.returncode else {}
        found[name] = counted | {"status": run.returncode, "said": ended}
        tell(f"chains, {name}: {json.dumps(found[name])}")
    return found


if __name__ == "__main__":
    main()
