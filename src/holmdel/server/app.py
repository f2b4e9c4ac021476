"""The application: routes, and what they share."""

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import TextIO

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from holmdel.errors import UserError
from holmdel.server import assets, classify, networks, playground, training_routes, v2
from holmdel.server.batching import Batcher
from holmdel.server.gate import Gate
from holmdel.server.metrics import Metrics
from holmdel.server.models import load_models
from holmdel.server.refusals import on_http_error, on_invalid, on_user_error
from holmdel.server.services import Services, services
from holmdel.server.settings import ServerSettings
from holmdel.server.trainings import Trainings
from holmdel.version import __version__


def create_app(settings: ServerSettings, log: TextIO | None = sys.stderr) -> FastAPI:
    """Returns the ASGI application of a server.

    Args:
        settings: models, address, limits.
        log: where a JSON line a request goes; None for none.

    Raises:
        UserError: for a model that cannot be loaded.
    """
    metrics, models = Metrics(), load_models(settings.models)
    shared = Services(
        settings=settings,
        models=models,
        metrics=metrics,
        batcher=Batcher(settings.batch, settings.queue, metrics),
        trainings=Trainings(settings, models),
    )
    app = FastAPI(
        title="Holmdel",
        version=__version__,
        description="The classic convolutional networks: pictures in, digits and classes out.",
        lifespan=_lifespan,
        docs_url=None,  # its page fetches from other hosts
        redoc_url=None,
    )
    app.state.services = shared
    for part in (classify, assets, networks, playground, training_routes, v2):
        app.include_router(part.router)
    app.add_api_route(
        "/metrics",
        _metrics,
        response_class=PlainTextResponse,
        summary="What is counted, for Prometheus",
    )
    app.add_exception_handler(UserError, on_user_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_middleware(Gate, services=shared, open_paths=assets.PATHS, log=log)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ends the threads when the server stops."""
    yield
    shared: Services = app.state.services
    shared.close()


async def _metrics(request: Request) -> Response:
    """Returns the counters in Prometheus' text format."""
    return Response(services(request).metrics.text(), media_type="text/plain; version=0.0.4")
