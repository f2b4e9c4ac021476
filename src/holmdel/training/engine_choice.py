"""Which engine computes a training, and why."""

import torch

from holmdel import engine
from holmdel.engine.layers import LARGEST
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.settings import TrainSettings
from holmdel.training.folding import with_batch_norm
from holmdel.training.job import seeds_restored
from holmdel.training.settings import Plan


def choose_engine(
    plan: Plan, image: ImageContract, device: torch.device, bfloat16: bool, workers: int = 1
) -> tuple[bool, str]:
    """Returns whether the native engine does it, and the line that says which does, and why.

    Raises:
        UserError: if the settings insist on the native engine and it cannot.
    """
    choice = plan.settings.engine
    if choice == "torch":
        return False, "PyTorch"
    if obstacle := _obstacle(plan.settings, image, device, bfloat16, workers):
        if choice == "native":
            raise UserError(f"engine was given as native; {obstacle}; use --engine auto")
        return False, f"PyTorch: {obstacle}"
    with seeds_restored():
        network = plan.build()
    if plan.settings.batch_norm:
        network = with_batch_norm(network)
    selection = engine.select(network, image, choice)
    if selection.chain is None:
        return False, selection.line
    try:
        selection.chain.expect_learning(plan.settings.batch_size)
    except engine.Unsupported as obstacle:
        if choice == "native":
            raise
        return False, f"PyTorch: {obstacle}"
    threads = torch.get_num_threads()
    return True, f"{selection.line}, {threads} thread{'s' if threads > 1 else ''}"


def _obstacle(
    settings: TrainSettings,
    image: ImageContract,
    device: torch.device,
    bfloat16: bool,
    workers: int,
) -> str:
    """Returns what keeps the native engine from a training of any network; "" for nothing."""
    height, width = image.input[1:]
    if device.type != "cpu":
        return f"the native engine runs on the processor, not on {device}"
    if max(height, width) > LARGEST:
        return f"images of {height}x{width} are above the native engine's {LARGEST}x{LARGEST}"
    if workers > 1:
        return f"{workers} workers share each batch"
    if settings.precision == "float64":
        return "the native engine computes in float32, not in float64"
    if bfloat16:
        return "the native engine computes in float32, not in bfloat16"
    return ""
