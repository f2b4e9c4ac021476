"""Routes of Triton's repository extension: the models that there are, loading and unloading."""

from fastapi import Request

from holmdel.server.errors import error_responses
from holmdel.server.protocol import repository
from holmdel.server.protocol.schemas import (
    Done,
    LoadRequest,
    RepositoryEntry,
    RepositoryRequest,
)
from holmdel.server.router import Router
from holmdel.server.services import services

router = Router(strict_content_type=False)  # tritonclient names none


@router.post(
    "/v2/repository/index", responses=error_responses(), summary="List the models and versions"
)
async def index(request: Request, asked: RepositoryRequest | None = None) -> list[RepositoryEntry]:
    """Returns the models that are loaded, and those that may be."""
    found = repository.index(services(request), ready=bool(asked and asked.ready))
    return [RepositoryEntry(**entry) for entry in found]


@router.post(
    "/v2/repository/models/{name}/load",
    responses=error_responses(404),
    summary="Load a model, or load it anew",
)
async def load(request: Request, name: str, asked: LoadRequest | None = None) -> Done:
    """Loads a run folder of the folder that --model-control names."""
    await repository.load(services(request), name, asked.parameters if asked else {})
    return Done()


@router.post(
    "/v2/repository/models/{name}/unload", responses=error_responses(404), summary="Unload a model"
)
async def unload(request: Request, name: str) -> Done:
    """Removes a model; what is under way ends with it."""
    await repository.unload(services(request), name)
    return Done()
