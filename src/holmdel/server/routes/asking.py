"""What requests about images and models ask about, and how their answers are written."""

import base64
import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel

from holmdel.server.errors import RequestError
from holmdel.server.services import Services, services
from holmdel.server.uploads import Upload, one_image

if TYPE_CHECKING:
    from holmdel.server.models import Model

ModelName = Annotated[str | None, Query(description="A model's name; the first if none.")]
Maps = Annotated[int, Query(ge=1, le=4096, description="How many maps of a layer to give at most.")]
LayerName = Annotated[str, Query(max_length=200, description="A layer's name, such as c1.")]
UnitName = Annotated[
    str,
    Query(
        pattern=r"^\d{1,7}(,\d{1,7}){0,2}$",
        description="Channel, row and column, such as 2,3,4; one number in a vector.",
    ),
]


class Unusable(BaseModel):
    """An image that could not be used, and why."""

    path: str
    error: str


def unusable(upload: Upload, error: RequestError) -> dict[str, Any]:
    """Returns what stands for an image that cannot be used; raises what is not its fault."""
    if error.status == 503:
        raise error
    return {"path": upload.name, "error": str(error)}


async def asked(request: Request, model: str | None) -> "tuple[Services, Model, bytes]":
    """Returns what the routes share, the model that is asked, and the image's bytes."""
    shared = services(request)
    found = shared.models.get(model)
    return shared, found, (await one_image(request)).content


def index_of(unit: str) -> tuple[int, ...]:
    """Returns a unit's place out of a text such as 2,3,4."""
    return tuple(int(part) for part in unit.split(","))


def json_answer(values: Any) -> Response:
    """Returns values as JSON, which has no number that is not finite."""
    return Response(json.dumps(values, allow_nan=False), media_type="application/json")


def in_text(content: bytes) -> str:
    """Returns bytes as base64."""
    return base64.b64encode(content).decode("ascii")


def png_url(content: bytes) -> str:
    """Returns a PNG file as a data URL."""
    return f"data:image/png;base64,{in_text(content)}"
