"""Routes of KServe's first protocol: `/v1/models/{name}` and `/v1/models/{name}:predict`.

kserve.github.io/website, "V1 inference protocol"; TensorFlow Serving has the same.
"""

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from holmdel.server.errors import error_responses
from holmdel.server.inference import outputs_for
from holmdel.server.protocol.instances import read_instances
from holmdel.server.protocol.request import Ask, split, unpacked
from holmdel.server.protocol.schemas import ModelReady
from holmdel.server.router import Router
from holmdel.server.services import services

router = Router()

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "title": "PredictRequest",
                    "type": "object",
                    "required": ["instances"],
                    "properties": {
                        "instances": {
                            "type": "array",
                            "minItems": 1,
                            "items": {},
                            "description": "Images: arrays of pixels in 0..255 or 0..1, or files "
                            'as base64, such as {"b64": "..."}.',
                        }
                    },
                }
            }
        },
    }
}


class Predictions(BaseModel):
    """For each image the probabilities of the classes, and the label of the largest."""

    predictions: list[list[float]]
    labels: list[str]


@router.get(
    "/v1/models/{name}", responses=error_responses(404), summary="Health: a model accepts requests"
)
async def ready(request: Request, name: str) -> ModelReady:
    """Returns that a model accepts requests."""
    return ModelReady(name=services(request).models.get(name).name, ready=True)


@router.post(
    "/v1/models/{name}:predict",
    responses=error_responses(404, 415, 422),
    openapi_extra=_BODY,
    summary="Classify images, as arrays or as base64",
)
async def predict(request: Request, name: str) -> Predictions:
    """Returns the probabilities of the classes for each image."""
    shared = services(request)
    model, settings = shared.models.get(name), shared.settings
    body = await request.body()
    encoding = request.headers.get("content-encoding")
    with model.statistics.request():
        header = split(unpacked(body, encoding, settings.body_bytes), None).header
        given = read_instances(header, model.classifier.contract, settings.rows)
        outputs = await outputs_for(shared, model, Ask(None, given, ()))
    return Predictions(
        predictions=outputs["probabilities"].tolist(), labels=outputs["label"].tolist()
    )
