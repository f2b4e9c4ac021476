"""The ASGI application: routes, middleware and what they share."""

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any, TextIO

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from holmdel.errors import UserError
from holmdel.server.activation_cache import ActivationCache
from holmdel.server.batching import Batcher, ThreadPool
from holmdel.server.errors import on_http_error, on_invalid, on_user_error
from holmdel.server.gate import Gate
from holmdel.server.metrics import Metrics
from holmdel.server.middleware import GuardMiddleware
from holmdel.server.models import Models
from holmdel.server.protocol.schemas import REQUESTS
from holmdel.server.repository import Repository
from holmdel.server.router import DirectRoutes, operation_id
from holmdel.server.routes import (
    backward,
    classify,
    docs,
    inference,
    insight,
    networks,
    page,
    pages,
    predict,
    reading,
    repository,
    samples,
    trainings,
)
from holmdel.server.services import Services, services
from holmdel.server.settings import ServerSettings
from holmdel.server.trainings import Trainings
from holmdel.version import __version__

ROUTES = (  # in the order in which a request is compared with them
    inference,
    classify,
    reading,
    predict,
    page,
    pages,
    docs,
    networks,
    insight,
    backward,
    samples,
    trainings,
    repository,
)
CROSS_ORIGIN: dict[str, Any] = {  # what a page of an allowed origin may send and read
    "allow_methods": ("GET", "POST", "DELETE"),
    "allow_headers": ("*",),
    "allow_private_network": True,
    "expose_headers": ("X-Request-ID", "Retry-After", "Inference-Header-Content-Length"),
}
THREADS = 2  # for work that would block the event loop; more would only take turns


def create_app(settings: ServerSettings, log: TextIO | None = sys.stderr) -> FastAPI:
    """Returns the ASGI application of a server.

    Args:
        settings: models, address, limits.
        log: gets a JSON line per request; None for no log.

    Raises:
        UserError: for a model that cannot be loaded.
    """
    metrics = Metrics()
    models = Models(metrics)
    gate = Gate(settings, metrics, log)
    shared = Services(
        settings=settings,
        models=models,
        repository=Repository(models, settings.models, settings.model_control),
        gate=gate,
        metrics=metrics,
        batcher=Batcher(settings.batch, settings.queue, metrics, settings.wait),
        activations=ActivationCache(models),
        trainings=Trainings(settings, models),
        pages=ThreadPool("pages to read", 1, settings.pages),
        work=ThreadPool("work in threads", THREADS, settings.queue, settings.wait),
    )
    app = _Described(
        title="Holmdel",
        version=__version__,
        description="The classic convolutional networks: images in, digits and classes out.",
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's page loads scripts from other hosts; routes/docs.py does not
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    app.state.services = shared
    for group in ROUTES:  # FastAPI looks twice through a router that is included
        app.router.routes.extend(group.router.routes)
    app.mount(docs.MOUNTED, StaticFiles(directory=docs.FILES))
    app.add_api_route(
        "/metrics",
        _metrics,
        response_class=PlainTextResponse,
        summary="Metrics for Prometheus",
    )
    app.add_exception_handler(UserError, on_user_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_middleware(GuardMiddleware, gate=gate, open_paths=page.PATHS | docs.PATHS)
    if settings.origins:  # outside the guard, as a page is to read its refusals too
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins, **CROSS_ORIGIN)
    return app


class _Described(FastAPI):
    """The application with a document in which all bodies have names, and with one guard.

    FastAPI has three more middlewares outside, for errors, telemetry and the size of bodies. The
    guard does that work; to be asked by four took longer than to look at a digit.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a connection, without FastAPI's telemetry."""
        await Starlette.__call__(self, scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Returns the middlewares that were added, and inside what FastAPI's routes need."""
        routes = AsyncExitStackMiddleware(self.router)
        app: ASGIApp = ExceptionMiddleware(routes, handlers=self.exception_handlers)
        app = DirectRoutes(app, self.router.routes)
        for middleware, arguments, named in reversed(self.user_middleware):
            app = middleware(app, *arguments, **named)
        return app

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI document; generators take what has a default for always there."""
        if self.openapi_schema is None:
            found = super().openapi()
            found["components"]["schemas"] |= REQUESTS
            _drop_empty_defaults(found)
        return super().openapi()


def _drop_empty_defaults(document: Any) -> None:
    """Removes the defaults of a document that are null, which say no more than that none is."""
    parts = document.values() if isinstance(document, dict) else document
    for part in parts:
        if isinstance(part, dict) and part.get("default", 0) is None:
            del part["default"]
        if isinstance(part, dict | list):
            _drop_empty_defaults(part)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Stops the threads when the server stops."""
    yield
    shared: Services = app.state.services
    shared.close()


async def _metrics(request: Request) -> Response:
    """Returns the metrics in Prometheus' text format, or as OpenMetrics where that is asked for."""
    text, kind = services(request).metrics.text(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": kind})
