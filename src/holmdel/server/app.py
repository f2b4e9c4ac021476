"""The ASGI application: the routes, the middleware and the services behind them."""

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import TextIO

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from holmdel.errors import UserError
from holmdel.server.activation_cache import ActivationCache
from holmdel.server.batching import Batcher
from holmdel.server.errors import on_http_error, on_invalid, on_user_error
from holmdel.server.metrics import Metrics
from holmdel.server.middleware import GuardMiddleware
from holmdel.server.models import load_models
from holmdel.server.routes import classify, inference, insight, networks, page, samples, trainings
from holmdel.server.services import Services, services
from holmdel.server.settings import ServerSettings
from holmdel.server.thread_pool import ThreadPool
from holmdel.server.trainings import Trainings
from holmdel.version import __version__

ROUTES = (classify, page, networks, insight, samples, trainings, inference)
THREADS = 2  # for work that would block the event loop; more would only take turns


def create_app(settings: ServerSettings, log: TextIO | None = sys.stderr) -> FastAPI:
    """Returns the ASGI application of a server.

    Args:
        settings: models, address, limits.
        log: gets a JSON line per request; None for no log.

    Raises:
        UserError: for a model that cannot be loaded.
    """
    metrics, models = Metrics(), load_models(settings.models)
    shared = Services(
        settings=settings,
        models=models,
        metrics=metrics,
        batcher=Batcher(settings.batch, settings.queue, metrics),
        activations=ActivationCache(models),
        trainings=Trainings(settings, models),
        pages=ThreadPool("pages to read", 1, settings.pages),
        work=ThreadPool("work in threads", THREADS, settings.queue),
    )
    app = FastAPI(
        title="Holmdel",
        version=__version__,
        description="The classic convolutional networks: images in, digits and classes out.",
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's page loads scripts from other hosts
        redoc_url=None,
    )
    app.state.services = shared
    for group in ROUTES:
        app.include_router(group.router)
    app.add_api_route(
        "/metrics",
        _metrics,
        response_class=PlainTextResponse,
        summary="Metrics for Prometheus",
    )
    app.add_exception_handler(UserError, on_user_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_middleware(GuardMiddleware, services=shared, open_paths=page.PATHS, log=log)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Stops the threads when the server stops."""
    yield
    shared: Services = app.state.services
    shared.close()


async def _metrics(request: Request) -> Response:
    """Returns the metrics in Prometheus' text format."""
    return Response(services(request).metrics.text(), media_type="text/plain; version=0.0.4")
