"""The server that runs the application: it listens, warms up, reloads, and ends well."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn

from holmdel.errors import UserError
from holmdel.server.connections import LINGERING, Connection, sweep
from holmdel.server.listener import configured
from holmdel.server.log import JsonFormatter
from holmdel.server.services import Services, reader
from holmdel.server.shedding import MOST, Door, Shed

if TYPE_CHECKING:
    from holmdel.server.rpc.listening import GrpcServer
    from holmdel.server.settings import ServerSettings

STOPPING = 30  # seconds in which requests under way may end
_BACKLOG = 1024  # connections that may wait to be accepted
_SHARE = 8  # of them, accepted at once where other processes wait for some too
_LATER = 0.1  # seconds without accepting when no more files can be open
_FILES = 256  # open files beside the connections
_SWITCH = 0.001  # seconds between switches of Python's threads; 0.005 by default
_GARBAGE = (10_000, 20, 50)  # rarely collected: a request leaves few reference cycles
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """uvicorn's server, which accepts quickly, reloads, and on a signal ends what is under way."""

    def __init__(
        self,
        config: uvicorn.Config,
        services: Services,
        listener: socket.socket,
        ready: Callable[[dict[str, Any]], object],
        spare: int,
    ) -> None:
        super().__init__(config)
        self._services = services
        self._listener = listener
        self._ready = ready
        self._share = _SHARE if services.settings.workers > 1 else _BACKLOG
        self._at_once = self._share
        self._parent = os.getppid()
        self._arriving: set[asyncio.Task[Any]] = set()
        self._door = Door(services.gate)
        self._shed = Shed(most=spare)
        self._grpc: GrpcServer | None = None
        self._warming = threading.Thread(target=_warm, args=[services], name="warm")
        self._reloading = threading.Thread(target=self._reload, name="reload")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        more = await self._start_grpc()
        await super().startup([])
        self._listener.listen(_BACKLOG)
        self._listen()
        self._ready({"models": [model.name for model in self._services.models], **more})
        self._warming.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._shed.sweep(0.0)
        grpc = [self._grpc.stop(STOPPING)] if self._grpc else []
        await asyncio.gather(super().shutdown([]), *grpc)
        self._warming.join()  # modules cannot be imported while the interpreter ends
        if self._reloading.is_alive():
            self._reloading.join()

    async def _start_grpc(self) -> dict[str, int]:
        """Starts the gRPC service if it is wanted; returns what is said of it.

        Raises:
            UserError: if the port cannot be used.
        """
        port = self._services.settings.grpc_port
        if not port:
            return {}
        from holmdel.server.rpc.listening import GrpcServer  # not every server needs grpcio

        self._grpc = GrpcServer(self._services)
        await self._grpc.start()
        return {"grpc_port": port}

    def _listen(self) -> None:
        if not self.should_exit:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        """Accepts what waits; libuv accepts one connection per iteration, too slow for many."""
        self._door.open()
        taken = 0
        while taken < self._at_once and not self._door.over:
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                self._at_once = self._share
                break
            except ConnectionAbortedError:
                continue
            except OSError:  # no more files can be open: try again later
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._listener)
                loop.call_later(_LATER, self._listen)
                break
            connection.setblocking(False)
            if reason := self._door.refuses():
                self._shed.refuse(connection, reason)
                self._services.metrics.answered("other", 503, 0.0)
            else:
                self._let_in(connection)
                taken += 1
        else:  # the other processes leave some, too
            self._at_once = min(2 * self._at_once, _BACKLOG)
        self._door.close()

    def _let_in(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.get_running_loop().create_task(self._take(connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _take(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self.lifespan.state), connection
            )

    async def on_tick(self, counter: int) -> bool:
        self._shed.sweep()
        if counter % 10 == 0:  # once a second
            sweep(self.server_state.connections)
            self._services.metrics.waiting.set(self._services.batcher.waiting)
            if os.getppid() != self._parent:  # nobody would end this process
                self.handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles signals; uvicorn raises them again at the end, so the exit status is not 0."""
        handlers = dict.fromkeys(_SIGNALS, self.handle_exit)
        handlers[signal.SIGHUP] = self.handle_reload
        before = {number: signal.signal(number, handlers[number]) for number in handlers}
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
            say(json.dumps({"event": "stopping", "signal": signal.Signals(sig).name}))

    def handle_reload(self, sig: int, frame: FrameType | None) -> None:
        """Loads all models anew, in a thread; requests go on with those that they have."""
        if self._reloading.is_alive() or self.should_exit:
            return
        self._reloading = threading.Thread(target=self._reload, name="reload")
        self._reloading.start()

    def _reload(self) -> None:
        for sentence in self._services.repository.reload():
            say(f"holmdel: {sentence}")
        models = [f"{model.name}/{model.version}" for model in self._services.models.each()]
        say(json.dumps({"event": "reloaded", "models": models}))


def run(
    settings: "ServerSettings",
    listener: socket.socket,
    ready: Callable[[dict[str, Any]], object],
) -> None:
    """Runs a server until a signal stops it.

    Args:
        settings: models, address, limits.
        listener: a socket that is bound to the address.
        ready: is called with what a log should say once requests are answered.

    Raises:
        UserError: for a model that cannot be loaded.
    """
    from holmdel.server.app import create_app  # with torch, which a parent of workers does without

    # On a terminal a line per request would hide the rest.
    app = create_app(settings, log=None if sys.stderr.isatty() else sys.stderr)
    config = configured(app, stopping=STOPPING, http=Connection, backlog=_BACKLOG)
    spare = _prepare(settings)
    _Server(config, app.state.services, listener, ready, spare).run()


def _prepare(settings: "ServerSettings") -> int:
    """Sets limits of the whole process: open files, thread switches, garbage collection, logs.

    Returns how many files may be open beside those of the connections.
    """
    least = settings.connections + LINGERING + _FILES
    wanted = least + MOST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    Connection.most = settings.connections
    Connection.head_seconds = min(Connection.head_seconds, settings.seconds)
    sys.setswitchinterval(_SWITCH)
    gc.set_threshold(*_GARBAGE)
    if not sys.stderr.isatty():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonFormatter())
        logging.basicConfig(level=logging.WARNING, handlers=[handler])
    return max(0, wanted - least)


def _warm(services: Services) -> None:
    """Does once what is slow the first time, so that no request has to wait for it."""
    for model in services.models.each():
        if services.draining.is_set():
            return
        model.warm()
    with contextlib.suppress(UserError):  # no reader needs to be installed
        reader("digits", False, 0.01)
    # The objects of now stay; looking through them for garbage would take 0.1 seconds each time.
    gc.freeze()


def say(line: str) -> None:
    """Prints a line for those who run the server, at once: other processes print lines, too."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
