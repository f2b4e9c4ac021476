"""An inference, whichever protocol asks for it: the input's images, logits, the outputs."""

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.server.errors import RequestError, image_error
from holmdel.server.protocol.inputs import Given
from holmdel.server.protocol.request import Ask
from holmdel.server.protocol.tensors import Output
from holmdel.server.services import Services
from holmdel.server.uploads import examined, framed, stored_form

if TYPE_CHECKING:
    from holmdel.server.models import Model

UNNAMED = -1  # the index where the network's outputs are no numbers; the label is empty then


async def outputs_for(shared: Services, model: "Model", ask: Ask) -> dict[str, Output]:
    """Returns all outputs of a model for a request's input, by name.

    Raises:
        RequestError: for an image that cannot be used, if too many wait, or after `ask.seconds`.
        UserError: for an input that is doubtful, where the server is strict.
    """
    if ask.doubts and shared.settings.strict:
        raise UserError("; ".join(ask.doubts))
    try:
        async with asyncio.timeout(ask.seconds):
            with model.statistics.step("compute_input"):
                images = await _images_of(shared, model, ask.given)
            logits = await _logits_of(shared, model, images)
    except TimeoutError:
        if ask.seconds is None:  # the server's own limit
            raise
        raise RequestError(
            408, f"the request's timeout of {ask.seconds * 1e6:.0f} microseconds is over"
        ) from None
    with model.statistics.step("compute_output"):
        return _outputs_of(shared, model, logits)


async def _images_of(shared: Services, model: "Model", given: Given) -> Tensor:
    """Returns an input as a tensor: encoded images in the stored form, others as they are."""
    if not isinstance(given, list):
        return torch.from_numpy(given)
    settings = shared.settings
    if len(given) > settings.images:
        raise RequestError(
            413, f"the tensor has {len(given)} images, and at most {settings.images} are allowed; "
            "send them in several requests"
        )  # fmt: skip
    uploads = [
        examined(f"image {place}", content, settings.pixels) for place, content in enumerate(given)
    ]
    for upload in uploads:
        if upload.error:
            raise upload.error
    if len(uploads) == 1:
        return (await framed(shared, model, uploads[0])).image
    return torch.cat([(await shared.run(stored_form, model, upload)).image for upload in uploads])


async def _logits_of(shared: Services, model: "Model", images: Tensor) -> Tensor:
    """Returns a model's logits, float32 (N, classes).

    Args:
        shared: the server's services.
        model: whose network computes them.
        images: float32 (N, C, H, W) as the network sees it, or uint8 in the stored form.
    """
    # In parts, as one large request would fill the queue for all others.
    size = min(model.classifier.contract.batch_size, shared.settings.batch)
    try:
        if len(images) <= size:
            return (await shared.batcher.ask(model, images)).logits
        answers = [await shared.batcher.ask(model, part) for part in torch.split(images, size)]
    except UserError as error:
        raise image_error(error) from None
    return torch.cat([answer.logits for answer in answers])


def _outputs_of(shared: Services, model: "Model", logits: Tensor) -> dict[str, Output]:
    """Returns all outputs by name, and counts the predicted classes.

    Args:
        shared: the server's services.
        model: whose logits they are.
        logits: float32 (N, classes).
    """
    probabilities = logits.softmax(dim=1)
    # NaN is larger than nothing, so the largest of it would name a class that nobody saw.
    known = probabilities.isfinite().all(dim=1)
    header = model.classifier.header
    places = probabilities.argmax(dim=1)
    others = probabilities.scatter(1, places[:, None], 0).sum(dim=1)
    named = [
        header.named(place, rest) if finite else ("", UNNAMED)
        for place, rest, finite in zip(
            places.tolist(), others.tolist(), known.tolist(), strict=True
        )
    ]
    labels = [label for label, _ in named]
    for label in filter(None, labels):
        shared.metrics.named(model.name, label)
    return {
        "probabilities": probabilities.numpy(),
        "logits": logits.numpy(),
        "index": np.array([index for _, index in named], np.int64),
        "label": np.array(labels, np.object_),
    }
