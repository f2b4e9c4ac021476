"""The socket that a server listens on, and its address."""

import socket
from typing import Any

import uvicorn

from holmdel.errors import UserError


def bind(host: str, port: int) -> socket.socket:
    """Returns a socket that is bound to an address but does not listen yet; port 0 is a free one.

    Raises:
        UserError: if the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setblocking(False)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, UnicodeError, OverflowError) as error:
        listener.close()
        raise UserError(
            f"the server cannot listen on {host}:{port} "
            f"({getattr(error, 'strerror', None) or error}); choose another --port or --host"
        ) from None
    return listener


def reserved(host: str, port: int) -> socket.socket:
    """Returns a socket that keeps a port for those of our processes that share it, for gRPC.

    Raises:
        UserError: if the address cannot be used.
    """
    try:
        bind(host, port).close()
    except UserError:
        raise grpc_taken(host, port) from None
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((host, port))
    return held


def grpc_taken(host: str, port: int | None) -> UserError:
    """Returns the error of a port that gRPC cannot have."""
    return UserError(
        f"the server cannot listen on {host}:{port} for gRPC; choose another --grpc-port, or none"
    )


def address(listener: socket.socket) -> str:
    """Returns the URL of what listens on a socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def configured(app: Any, *, stopping: int, **more: Any) -> uvicorn.Config:
    """Returns how an application of ours is run: no WebSockets, no logs of its own, no proxies.

    Args:
        app: the application.
        stopping: seconds in which requests under way may end.
        more: further arguments of `uvicorn.Config`.
    """
    return uvicorn.Config(
        app,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=stopping,
        **more,
    )
