"""Precision and memory of a training."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import holmdel
from holmdel.devices import use_bfloat16

CPU = torch.device("cpu")
LARGE = (224, 224)


def test_a_precision_that_is_named_is_taken():
    for size in ((28, 28), LARGE):
        assert use_bfloat16("bfloat16", CPU, size)
        assert not use_bfloat16("float32", CPU, size)


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="no /proc/cpuinfo to compare with")
def test_auto_takes_bfloat16_where_the_processor_computes_in_it():
    words = set(Path("/proc/cpuinfo").read_text().split())
    assert use_bfloat16("auto", CPU, LARGE) == bool(words & {"avx512_bf16", "amx_bf16"})


def test_auto_leaves_small_pictures_in_float32():
    assert not use_bfloat16("auto", CPU, (28, 28))
    assert not use_bfloat16("auto", CPU, (64, 64))


def test_bfloat16_trains_as_float32_does():
    """Ten steps of one batch of digits each."""
    given = {"activation": "relu", "init": "centred", "lr": 0.02, "limit": 64, "epochs": 10}
    losses = [
        [
            epoch.loss
            for epoch in holmdel.train(
                "lenet", "digits", out=precision, precision=precision, batch_size=64, **given
            ).history
        ]
        for precision in ("float32", "bfloat16")
    ]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.005)


PAGES_MAPPED = """
import mmap, resource
import torch
from holmdel.devices import memory_kept

def mapped():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def mapped_anew():
    before = mapped()
    torch.ones(16 << 20)  # 64 MiB
    return mapped() - before

before = mapped()
mmap.mmap(-1, 64 << 20).write(bytes(64 << 20))
fresh = mapped() - before
with memory_kept():
    for _ in range(20):  # until its place is found
        mapped_anew()
    inside = mapped_anew()
mapped_anew()
print(fresh, inside, mapped_anew())
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="it is the GNU C library that returns memory"
)
def test_kept_memory_is_used_again():
    """In a process of its own: where a block lies depends on all that was allocated before."""
    answer = subprocess.run(
        [sys.executable, "-c", PAGES_MAPPED], capture_output=True, text=True, check=True
    )
    fresh, inside, after = map(int, answer.stdout.split())
    if fresh < 30:  # 16,384 small pages or 32 large ones
        pytest.skip(f"this system counts {fresh} pages where 64 MiB are mapped")
    assert inside < 20
    assert after > 30  # returned again
