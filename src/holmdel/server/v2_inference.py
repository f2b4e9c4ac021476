"""From an input tensor to the outputs: framing, the batcher, probabilities."""

from collections import Counter

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.server.models import Model
from holmdel.server.refusals import Refusal
from holmdel.server.services import Services
from holmdel.server.tensors import Given
from holmdel.server.tensors_answer import Output
from holmdel.server.uploads import examined, framed, stored_form, unusable


async def logits_of(shared: Services, model: Model, given: Given) -> Tensor:
    """Returns what a model says of an input: float32 (N, classes).

    Args:
        shared: what the routes share.
        model: whose network is asked.
        given: float32 (N, C, H, W) as the network sees it, uint8 in the stored form, or pictures.

    Raises:
        Refusal: for a picture that cannot be used, numbers too large for the network, or if too
            many wait.
    """
    if isinstance(given, list):
        answers = [await _ask(shared, model, await _pictures(shared, model, given))]
    else:
        # A part takes its turn with what others ask; a whole request would fill the queue.
        size = min(model.classifier.contract.batch_size, shared.settings.batch)
        parts = torch.split(torch.from_numpy(given), size)
        answers = [await _ask(shared, model, part) for part in parts]
    logits = torch.cat(answers)
    if not bool(logits.isfinite().all()):
        raise Refusal(400, "the network's sums of this input are not finite; give smaller numbers")
    return logits


def outputs_of(shared: Services, model: Model, logits: Tensor) -> dict[str, Output]:
    """Returns all outputs by name, and counts the classes named.

    Args:
        shared: what the routes share.
        model: whose logits they are.
        logits: float32 (N, classes).
    """
    probabilities = logits.softmax(dim=1)
    index = probabilities.argmax(dim=1)
    labels = [model.classifier.classes[i] for i in index.tolist()]
    for label, count in Counter(labels).items():
        shared.metrics.predictions.labels(model.name, label).inc(count)
    return {
        "probabilities": probabilities.numpy(),
        "logits": logits.numpy(),
        "index": index.numpy(),
        "label": labels,
    }


async def _ask(shared: Services, model: Model, pictures: Tensor) -> Tensor:
    try:
        return (await shared.batcher.ask(model, pictures)).logits
    except UserError as error:
        raise unusable(error) from None


async def _pictures(shared: Services, model: Model, files: list[bytes]) -> Tensor:
    """Returns encoded pictures in the stored form, uint8 (N, C, H, W)."""
    settings = shared.settings
    if len(files) > settings.pictures:
        raise Refusal(
            413, f"{len(files)} pictures were given, where {settings.pictures} are the most; "
            "send them in several requests"
        )  # fmt: skip
    uploads = [
        examined(f"picture {place}", content, settings.pixels)
        for place, content in enumerate(files)
    ]
    for upload in uploads:
        if upload.refusal:
            raise upload.refusal
    if len(uploads) == 1:
        return await framed(shared, model, uploads[0])
    return torch.cat([await shared.run(stored_form, model, upload) for upload in uploads])
