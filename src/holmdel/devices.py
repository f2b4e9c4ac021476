"""Where a training runs, in which precision, and in which memory."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from holmdel.errors import UserError

FLOAT32_SIDE = 64  # of the largest pictures whose networks `auto` leaves in float32 on a processor

# Parameters of mallopt, from the GNU C library's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4


def choose_device(name: str) -> torch.device:
    """Returns the device of a name: `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        UserError: for a name of another form, or a device this machine does not have.
    """
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise UserError(f"there is no device {name!r}; choose cpu, cuda, cuda:N or mps")
    there = {
        "cpu": not number,
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[kind]:
        raise UserError(
            f"the device {name!r} is not on this machine, or this PyTorch cannot use it; "
            "choose --device cpu"
        )
    return torch.device(name)


def use_bfloat16(precision: str, device: torch.device, size: tuple[int, int]) -> bool:
    """Tells whether to run under bfloat16 autocast.

    `auto` takes bfloat16 where the device computes in it: CUDA of compute capability 8.0 and above,
    and processors with AVX512_BF16 or AMX. On a processor, networks of pictures up to 64x64 stay in
    float32, in which the engine for small networks computes.

    Args:
        precision: `auto`, `float32` or `bfloat16`.
        device: where the network runs.
        size: H and W of the pictures that the network sees.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu" or max(size) <= FLOAT32_SIDE:
        return False
    processor = torch.cpu.get_capabilities()
    return any(processor.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


@contextmanager
def memory_kept() -> Iterator[None]:
    """Keeps memory that is freed for the next batch in place of returning it to the system.

    The GNU C library gives large blocks back at once, so that every batch of a large network has
    its pages mapped and zeroed anew. Elsewhere this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        yield
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:  # where the library's own adjustment ends after large blocks were freed
        mallopt(_M_MMAP_MAX, 65_536)
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 64 << 20)
        ctypes.CDLL(None).malloc_trim(0)
