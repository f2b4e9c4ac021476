"""Routes for trainings: start, follow as a stream of events, pause, stop, keep, delete."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, TypeAlias

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from holmdel.programs.layers import MOST_LETTERS
from holmdel.server.errors import error_responses
from holmdel.server.router import Router
from holmdel.server.services import services
from holmdel.server.training_state import ENDED, State, Value
from holmdel.server.training_steps import Stride

if TYPE_CHECKING:
    from holmdel.server.live_training import Training

router = Router()

PERIOD = 0.1  # seconds between two events, at least
SILENCE = 15.0  # seconds without an event, after which a comment shows that the stream lives

_ADAPTER = TypeAdapter(State)
_SOME = 60  # settings and options in a request, at most
_SHORT = 100  # letters of a name or a value, at most
Short: TypeAlias = Annotated[str, Field(max_length=_SHORT)]
Id: TypeAlias = Annotated[str, Path(max_length=_SHORT, description="Of the training.")]


class Begin(BaseModel):
    """What to train on what, and how; `GET /v1/networks` says which settings there are."""

    model_config = ConfigDict(extra="forbid")

    network: Short = Field(description="A network's name; `own` with layers; or a served model's.")
    layers: Annotated[str, Field(max_length=MOST_LETTERS)] | None = None
    data: Short
    settings: Annotated[
        dict[Short, bool | int | float | Short | None], Field(max_length=_SOME)
    ] = {}


class States(BaseModel):
    """All trainings that the server remembers, the oldest first."""

    trainings: list[State]


@router.get(
    "/v1/trainings",
    response_model=States,
    responses=error_responses(),
    summary="List the trainings",
)
async def trainings(request: Request) -> Response:
    """Returns the states of all trainings that the server remembers."""
    return _json(States(trainings=services(request).trainings.states()).model_dump_json())


@router.post(
    "/v1/trainings",
    response_model=State,
    status_code=201,
    responses=error_responses(429),
    summary="Start a training",
)
async def begin(request: Request, wanted: Begin) -> Response:
    """Returns the state of a training that has begun; its data are downloaded if need be."""
    shared = services(request)
    given: dict[str, Value] = dict(wanted.settings)
    training = await shared.run(
        shared.trainings.start, wanted.network, wanted.data, given, wanted.layers
    )
    return _json(_text(training.state), 201)


@router.get(
    "/v1/trainings/{id}",
    response_model=State,
    responses=error_responses(404),
    summary="Show the state of a training",
)
async def state(request: Request, id: Id) -> Response:
    """Returns the state of a training."""
    return _json(_text(services(request).trainings.get(id).state))


@router.get(
    "/v1/trainings/{id}/events",
    response_class=StreamingResponse,
    responses=error_responses(404)
    | {
        200: {
            "description": "The data of each event is the whole state as JSON: at once, and at "
            "each change, at most ten a second. The last one is the end's.",
            "content": {"text/event-stream": {"schema": {}}},
        }
    },
    summary="Follow a training as server-sent events",
)
async def events(request: Request, id: Id) -> StreamingResponse:
    """Returns the states of a training as server-sent events, up to its end or the server's."""
    shared = services(request)
    return StreamingResponse(
        _events(shared.trainings.get(id), shared.draining),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


@router.post(
    "/v1/trainings/{id}/pause",
    response_model=State,
    responses=error_responses(404),
    summary="Pause a training",
)
async def pause(request: Request, id: Id) -> Response:
    """Pauses a training after its current batch; returns its state."""
    shared = services(request)
    return _json(_text(await shared.run(shared.trainings.pause, id)))


@router.post(
    "/v1/trainings/{id}/resume",
    response_model=State,
    responses=error_responses(404),
    summary="Continue a paused training",
)
async def resume(request: Request, id: Id) -> Response:
    """Continues a paused training; returns its state."""
    shared = services(request)
    return _json(_text(await shared.run(shared.trainings.resume, id)))


@router.post(
    "/v1/trainings/{id}/step",
    response_model=State,
    responses=error_responses(404, 409),
    summary="Train for one batch or one epoch",
)
async def step(
    request: Request,
    id: Id,
    stride: Annotated[Stride, Query(description="How far it goes before it pauses.")] = "batch",
) -> Response:
    """Goes on for one batch, or to the end of the epoch, and pauses again; returns its state."""
    shared = services(request)
    return _json(_text(await shared.run(shared.trainings.step, id, stride)))


@router.post(
    "/v1/trainings/{id}/back",
    response_model=State,
    responses=error_responses(404, 409),
    summary="Take back the last step of a training",
)
async def back(request: Request, id: Id) -> Response:
    """Goes back to where the last step began, and pauses there; returns its state."""
    shared = services(request)
    return _json(_text(await shared.run(shared.trainings.back, id)))


@router.post(
    "/v1/trainings/{id}/stop",
    response_model=State,
    responses=error_responses(404),
    summary="Stop a training",
)
async def stop(request: Request, id: Id) -> Response:
    """Stops a training after its current batch; returns its state."""
    shared = services(request)
    return _json(_text(await shared.run(shared.trainings.stop, id)))


@router.post(
    "/v1/trainings/{id}/keep",
    response_model=State,
    responses=error_responses(404, 409),
    summary="Keep a training that has ended",
)
async def keep(request: Request, id: Id) -> Response:
    """Returns the state of a training; `kept` names its run folder and its model."""
    shared = services(request)
    return _json(_text(await shared.run(shared.trainings.keep, id)))


@router.delete(
    "/v1/trainings/{id}",
    status_code=204,
    responses=error_responses(404),
    summary="Stop and delete a training",
)
async def forget(request: Request, id: Id) -> Response:
    """Stops a training and deletes it with its model; what was kept stays."""
    shared = services(request)
    await shared.run(shared.trainings.forget, id)
    return Response(status_code=204)


async def _events(training: "Training", draining: asyncio.Event) -> AsyncIterator[str]:
    """Gives the states as events; a client that goes away ends it at the next one."""
    sent, spoken = None, 0.0
    while not draining.is_set():
        state, now = training.state, time.monotonic()
        if state is not sent:
            yield f"data: {_text(state)}\n\n"
            sent, spoken = state, now
        elif now - spoken > SILENCE:
            yield ": nothing new\n\n"
            spoken = now
        if sent.status in ENDED:
            return
        await asyncio.sleep(PERIOD)


def _text(state: State) -> str:
    return _ADAPTER.dump_json(state).decode()


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")
