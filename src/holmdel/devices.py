"""Where a training runs, and in which precision."""

import torch

from holmdel.errors import UserError


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


def use_bfloat16(precision: str, device: torch.device) -> bool:
    """Tells whether to run under bfloat16 autocast.

    `auto` takes bfloat16 on CUDA devices that compute in it (compute capability 8.0 and above), and
    float32 elsewhere.
    """
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return precision == "bfloat16"
