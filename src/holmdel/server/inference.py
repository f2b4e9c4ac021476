"""An inference, whichever protocol asks for it: the input's images, logits, the outputs."""

import asyncio
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.server.answers import Answer, joined
from holmdel.server.errors import RequestError, image_error
from holmdel.server.protocol.inputs import Given
from holmdel.server.protocol.request import Ask
from holmdel.server.protocol.tensors import Output
from holmdel.server.services import Services
from holmdel.server.uploads import examined, framed, stored_form

if TYPE_CHECKING:
    from holmdel.server.models import Model


async def outputs_for(shared: Services, model: "Model", ask: Ask) -> dict[str, Output]:
    """Returns all outputs of a model for a request's input, by name.

    Raises:
        RequestError: for an image that cannot be used, if too many wait, or after `ask.seconds`.
        UserError: for an input that is doubtful, where the server is strict.
    """
    if ask.doubts and shared.settings.strict:
        raise UserError("; ".join(ask.doubts))
    if ask.seconds is None:
        answers = await _answers(shared, model, ask.given)
    else:
        answers = await _answers_within(ask.seconds, shared, model, ask.given)
    with model.statistics.step("compute_output"):
        outputs = joined(answers)
        for label in filter(None, outputs["label"]):
            shared.metrics.named(model.name, label)
    return outputs


async def _answers_within(
    seconds: float, shared: Services, model: "Model", given: Given
) -> list[Answer]:
    """Returns what `_answers` does; raises a RequestError where the request's own time is over."""
    try:
        async with asyncio.timeout(seconds):
            return await _answers(shared, model, given)
    except TimeoutError:
        raise RequestError(
            408, f"the request's timeout of {seconds * 1e6:.0f} microseconds is over"
        ) from None


async def _answers(shared: Services, model: "Model", given: Given) -> list[Answer]:
    """Returns what a model says of an input, in parts where it is large."""
    with model.statistics.step("compute_input"):
        images = await _images_of(shared, model, given)
    # In parts, as one large request would fill the queue for all others.
    size = min(model.classifier.contract.batch_size, shared.settings.batch)
    try:
        if len(images) <= size:
            return [await shared.batcher.ask(model, images)]
        return [await shared.batcher.ask(model, part) for part in torch.split(images, size)]
    except UserError as error:
        raise image_error(error) from None


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
