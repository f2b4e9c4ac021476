"""The ASGI application, routes, middleware and services, and the server that runs it."""

import asyncio
import contextlib
import gc
import importlib.util
import json
import logging
import os
import re
import resource
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from holmdel.errors import UserError
from holmdel.server.activation_cache import ActivationCache
from holmdel.server.batching import Batcher, ThreadPool
from holmdel.server.connections import Connection, sweep
from holmdel.server.errors import on_http_error, on_invalid, on_user_error
from holmdel.server.gate import Gate
from holmdel.server.listener import address, bind, configured
from holmdel.server.log import JsonFormatter
from holmdel.server.metrics import Metrics
from holmdel.server.middleware import GuardMiddleware
from holmdel.server.models import Models
from holmdel.server.repository import Repository
from holmdel.server.routes import (
    classify,
    inference,
    insight,
    networks,
    page,
    predict,
    samples,
    trainings,
)
from holmdel.server.services import Services, reader, services
from holmdel.server.settings import ServerSettings
from holmdel.server.trainings import Trainings
from holmdel.version import __version__

if TYPE_CHECKING:
    from holmdel.server.rpc.listening import GrpcServer

ROUTES = (classify, page, networks, insight, samples, trainings, inference, predict)
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
        generate_unique_id_function=_operation_id,
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
    app.add_middleware(GuardMiddleware, gate=gate, open_paths=page.PATHS)
    return app


def _operation_id(route: APIRoute) -> str:
    """Returns what generated clients call a route, such as `get_v2_models_name_stats`."""
    return "_".join([min(route.methods or ()).lower(), *re.findall(r"\w+", route.path)])


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


STOPPING = 30  # seconds in which requests under way may end
_BACKLOG = 2048  # connections that may wait to be accepted
_LATER = 0.1  # seconds without accepting when no more files can be open
_FILES = 256  # open files beside the connections
_SWITCH = 0.001  # seconds between switches of Python's threads; 0.005 by default
_GARBAGE = (10_000, 20, 50)  # rarely collected: a request leaves few reference cycles
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """uvicorn's server, which says where it listens, and on a signal ends what is under way."""

    def __init__(
        self, config: uvicorn.Config, services: Services, url: str, listener: socket.socket
    ) -> None:
        super().__init__(config)
        self._services = services
        self._url = url
        self._listener = listener
        self._arriving: set[asyncio.Task[Any]] = set()
        self._grpc: GrpcServer | None = None
        self._warming = threading.Thread(target=_warm, args=[services], name="warm")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        more = await self._start_grpc()
        await super().startup([])
        self._listener.listen(_BACKLOG)
        self._listen()
        names = [model.name for model in self._services.models]
        if sys.stderr.isatty():
            _say(f"holmdel serves {', '.join(names)} at {self._url}; stop it with Ctrl-C")
        else:
            _say(json.dumps({"event": "ready", "url": self._url, "models": names} | more))
        self._warming.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        grpc = [self._grpc.stop(STOPPING)] if self._grpc else []
        await asyncio.gather(super().shutdown([]), *grpc)
        self._warming.join()  # modules cannot be imported while the interpreter ends

    async def _start_grpc(self) -> dict[str, int]:
        """Starts the gRPC service if it is wanted; returns what the log says of it.

        Raises:
            UserError: if the port that was asked for cannot be used.
        """
        settings = self._services.settings
        if settings.grpc_port == 0 or not _grpc_is_there():
            return {}
        from holmdel.server.rpc.listening import GrpcServer  # not every server needs grpcio

        above = self._listener.getsockname()[1] + 1 if settings.port else 0
        self._grpc = GrpcServer(self._services)
        try:
            await self._grpc.start(settings.host, settings.grpc_port or above)
        except UserError as error:
            if settings.grpc_port is not None:
                raise
            self._grpc = None
            _say(f"holmdel: no gRPC: {error}")
            return {}
        return {"grpc_port": self._grpc.port}

    def _listen(self) -> None:
        if not self.should_exit:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        """Accepts all connections that wait; libuv accepts one per iteration, too slow for many."""
        loop = asyncio.get_running_loop()
        for _ in range(_BACKLOG):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError:  # no more files can be open: try again later
                loop.remove_reader(self._listener)
                loop.call_later(_LATER, self._listen)
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._take(connection))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    async def _take(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self.lifespan.state), connection
            )

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # once a second
            sweep(self.server_state.connections)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles signals; uvicorn raises them again at the end, so the exit status is not 0."""
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(128 + sig)  # at once: a normal exit waits for threads that compute
        self._services.draining.set()
        self.should_exit = True
        if not sys.stderr.isatty():
            _say(json.dumps({"event": "stopping", "signal": signal.Signals(sig).name}))


def serve(settings: ServerSettings) -> None:
    """Runs a server until a signal stops it.

    Args:
        settings: models, address, limits.

    Raises:
        UserError: for a model that cannot be loaded, or an address that cannot be used.
    """
    if settings.grpc_port and not _grpc_is_there():
        raise UserError("gRPC needs grpcio; install it with: pip install 'holmdel[grpc]'")
    with contextlib.closing(bind(settings.host, settings.port)) as listener:
        # On a terminal a line per request would hide the rest.
        app = create_app(settings, log=None if sys.stderr.isatty() else sys.stderr)
        url = address(listener)
        if not settings.loopback and settings.token is None:
            _say(
                f"holmdel: other machines can reach {url}, and everyone may use it; "
                "protect it with --token"
            )
        config = configured(app, stopping=STOPPING, http=Connection, backlog=_BACKLOG)
        _prepare(settings)
        _Server(config, app.state.services, url, listener).run()


def _grpc_is_there() -> bool:
    return all(importlib.util.find_spec(name) for name in ("grpc", "grpc_health"))


def _prepare(settings: ServerSettings) -> None:
    """Sets limits of the whole process: open files, thread switches, garbage collection, logs."""
    least = settings.connections + _FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < least:
        most = least if hard == resource.RLIM_INFINITY else min(least, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    Connection.most = settings.connections
    Connection.head_seconds = min(Connection.head_seconds, settings.seconds)
    sys.setswitchinterval(_SWITCH)
    gc.set_threshold(*_GARBAGE)
    if not sys.stderr.isatty():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _warm(services: Services) -> None:
    """Does once what is slow the first time, so that no request has to wait for it."""
    for model in services.models.each():
        if services.draining.is_set():
            return
        model.logits(torch.zeros(1, *model.classifier.contract.stored, dtype=torch.uint8))
    with contextlib.suppress(UserError):  # no reader needs to be installed
        reader("digits", False, 0.01)
    # The objects of now stay; looking through them for garbage would take 0.1 seconds each time.
    gc.freeze()


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201
