"""What a request that looks inside a model asks about, and how its answer is written."""

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response

from holmdel.server.services import Services, services
from holmdel.server.uploads import one_image

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
