"""`serve`: one server, or several processes of it behind one port."""

import contextlib
import importlib.util
import json
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import TYPE_CHECKING, Any

from prometheus_client.multiprocess import mark_process_dead

from holmdel.errors import UserError
from holmdel.server.listener import address, bind, reserved
from holmdel.server.metrics import SHARED
from holmdel.server.running import run, say

if TYPE_CHECKING:
    from holmdel.server.settings import ServerSettings

_GRPC = ("grpc", "grpc_health", "grpc_reflection")
_AGAIN = 1.0  # seconds before a process that ended by itself is replaced


def serve(settings: "ServerSettings") -> None:
    """Runs a server until a signal stops it.

    Args:
        settings: models, address, limits.

    Raises:
        UserError: for a model that cannot be loaded, or an address that cannot be used.
    """
    with contextlib.closing(bind(settings.host, settings.port)) as listener:
        url = address(listener)
        if not settings.loopback and settings.token is None:
            say(
                f"holmdel: other machines can reach {url}, and everyone may use it; "
                "protect it with --token"
            )
        with _with_grpc_port(settings, listener) as settled:
            if settings.workers == 1:
                run(settled, listener, lambda said: _tell(url, said))
            else:
                _Workers(settled, listener, url).run()


def _tell(url: str, said: dict[str, Any]) -> None:
    """Says that requests are answered."""
    if sys.stderr.isatty():
        say(f"holmdel serves {', '.join(said['models'])} at {url}; stop it with Ctrl-C")
    else:
        say(json.dumps({"event": "ready", "url": url} | said))


class _Workers:
    """Processes that serve the same port; one that ends by itself is replaced.

    SIGTERM and SIGINT end all, SIGHUP has each load its models anew.
    """

    def __init__(self, settings: "ServerSettings", listener: socket.socket, url: str) -> None:
        self._settings = settings
        self._listener = listener
        self._url = url
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[BaseProcess] = []
        self._ready: set[BaseProcess] = set()  # those that handle SIGHUP, which would end others
        self._stopping = False

    def run(self) -> None:
        """Runs them until a signal comes.

        Raises:
            UserError: if the first cannot start.
        """
        with contextlib.ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(prefix="holmdel-metrics-")
            os.environ[SHARED] = stack.enter_context(folder)
            stack.callback(os.environ.pop, SHARED)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                stack.callback(signal.signal, number, signal.signal(number, self._pass_on))
            stack.callback(self._end)
            # The first alone, so that a mistake is told once.
            while not self._stopping and len(self._processes) < self._settings.workers:
                said = self._start()
            if not self._stopping:
                _tell(self._url, said)
            self._watch()

    def _start(self) -> dict[str, Any]:
        """Starts a process, waits until it answers requests, and returns what it says of itself."""
        mine, its = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self._settings, self._listener, its))
        process.start()
        its.close()
        self._processes.append(process)
        try:
            said = mine.recv()
        except EOFError:
            said = {}
        if isinstance(said, str):
            raise UserError(said)
        if said:
            self._ready.add(process)
        return dict(said)

    def _watch(self) -> None:
        """Replaces processes that end by themselves, until the server is to stop."""
        while not self._stopping:
            wait([process.sentinel for process in self._processes], timeout=_AGAIN)
            for process in [one for one in self._processes if not one.is_alive()]:
                self._processes.remove(process)
                self._ready.discard(process)
                mark_process_dead(process.pid)
                if not self._stopping:
                    say(f"holmdel: a process ended with status {process.exitcode}; one is started")
                    time.sleep(_AGAIN)
                    self._start()

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            again, number = self._stopping, signal.SIGTERM
            self._stopping = True
            if again:
                number = signal.SIGKILL
        for process in self._ready if number == signal.SIGHUP else self._processes:
            if process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)

    def _end(self) -> None:
        """Ends all processes, and waits for that."""
        if not self._stopping:
            self._pass_on(signal.SIGTERM, None)
        for process in self._processes:
            process.join()


def _work(settings: "ServerSettings", listener: socket.socket, told: Connection) -> None:
    """What a process does: it serves, and says when it does, or why it cannot."""
    os.setpgrp()  # a terminal's Ctrl-C goes to the parent alone
    _take_a_share(settings.workers)
    listener.setblocking(False)
    try:
        run(settings, listener, lambda said: told.send(said))
    except UserError as error:
        with contextlib.suppress(OSError):
            told.send(str(error))
        sys.exit(2)


def _take_a_share(workers: int) -> None:
    """Leaves the other processes their cores."""
    import torch  # the parent does without

    torch.set_num_threads(max(1, torch.get_num_threads() // workers))


@contextlib.contextmanager
def _with_grpc_port(
    settings: "ServerSettings", listener: socket.socket
) -> Iterator["ServerSettings"]:
    """Gives settings that name the port of gRPC, 0 for none, and holds that port meanwhile."""
    held = _grpc_socket(settings, listener)
    with held or contextlib.nullcontext():
        yield replace(settings, grpc_port=held.getsockname()[1] if held else 0)


def _grpc_socket(settings: "ServerSettings", listener: socket.socket) -> socket.socket | None:
    """Returns a socket that keeps a port for gRPC; None without gRPC, after a line that says why.

    Raises:
        UserError: if a port was asked for and cannot be had.
    """
    if settings.grpc_port == 0:
        return None
    above = listener.getsockname()[1] + 1 if settings.port else 0
    try:
        if not all(map(importlib.util.find_spec, _GRPC)):
            raise UserError("it needs packages; install them with: pip install 'holmdel[grpc]'")
        return reserved(settings.host, settings.grpc_port or above)
    except UserError as error:
        if settings.grpc_port is not None:
            raise UserError(f"no gRPC: {error}") from None
        say(f"holmdel: no gRPC: {error}")
        return None
