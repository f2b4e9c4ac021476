"""A server that runs until it is told to stop."""

import contextlib
import json
import socket
import sys
from types import FrameType

import uvicorn

from holmdel.errors import UserError
from holmdel.server.app import create_app
from holmdel.server.services import Services
from holmdel.server.settings import ServerSettings

STOPPING = 30  # seconds that requests under way are waited for
_BACKLOG = 2048  # connections that wait to be accepted


class _Server(uvicorn.Server):
    """Says where it listens; told to stop, it finishes what is under way and refuses the rest."""

    def __init__(self, config: uvicorn.Config, services: Services, url: str) -> None:
        super().__init__(config)
        self._services = services
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        names = [model.name for model in self._services.models]
        if sys.stderr.isatty():
            _say(f"holmdel serves {', '.join(names)} at {self._url}; stop it with Ctrl-C")
        else:
            _say(json.dumps({"event": "ready", "url": self._url, "models": names}))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._services.draining.set()
        super().handle_exit(sig, frame)


def serve(settings: ServerSettings) -> None:
    """Runs a server until it is told to stop by a signal.

    Args:
        settings: models, address, limits.

    Raises:
        UserError: for a model that cannot be loaded, or an address that cannot be listened on.
    """
    # On a terminal a line a request would bury what matters.
    app = create_app(settings, log=None if sys.stderr.isatty() else sys.stderr)
    with contextlib.closing(_listen(settings)) as listener:
        host, port = listener.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        if not settings.loopback and settings.token is None:
            _say(
                f"holmdel: {url} can be reached from other machines, and anyone may use it; "
                "give --token"
            )
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=STOPPING,
        )
        _Server(config, app.state.services, url).run(sockets=[listener])


def _listen(settings: ServerSettings) -> socket.socket:
    """Returns a socket bound to the address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UserError(
            f"{settings.host}:{settings.port} cannot be listened on "
            f"({error.strerror or error}); choose another --port or --host"
        ) from None
    return listener


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
