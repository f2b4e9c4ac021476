"""Precision and memory of a training."""

import platform
import resource
from pathlib import Path

import pytest
import torch

import holmdel
from holmdel.devices import memory_kept, use_bfloat16

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


def _mapped_anew() -> int:
    """Returns how many pages the system mapped for a tensor of 64 MiB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(16 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="it is the GNU C library that returns memory"
)
def test_kept_memory_is_used_again():
    with memory_kept():
        for _ in range(20):  # until its place is found
            _mapped_anew()
        assert _mapped_anew() < 100  # of 16,384
    _mapped_anew()
    assert _mapped_anew() > 30  # 16,384 small or 32 large ones: returned again
