"""The settings of a server: models, address, limits."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holmdel.deprecation import renamed_attribute, renamed_parameters
from holmdel.errors import UserError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The settings of a server.

    Attributes:
        models: run folders, `.safetensors` files, shipped names, or networks of one's own as
            `FILE.py:NAME`; all shipped ones if empty.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        grpc_port: the port for gRPC; 0 for no gRPC; None for the port above `port`, or a free one
            where that is 0, if grpcio is installed and that port is free.
        token: a request must send it as `Authorization: Bearer TOKEN`; None for no token.
        origins: other sites whose pages may use the server (CORS), such as `https://example.org`.
        runs: the folder for kept trainings.
        body_bytes: the largest body of a request, in bytes.
        pixels: the most pixels of an image, height x width.
        images: the most images of a request.
        rows: the most rows of a tensor.
        seconds: the time limit of a request.
        wait: seconds that a request may be expected to wait for others; then it is refused.
        requests: how many requests may be under way at once.
        connections: how many connections may be open at once.
        queue: how many images may wait for the networks.
        pages: how many pages may wait for the reader.
        batch: the largest batch, in images.
        trainings: how many trainings may run at once.
        workers: processes that answer on the same port.
        model_control: the folder whose run folders requests may load by name; None for no loading.
        framed: whether pages of this machine may show the playground in a frame, as notebooks do.
        strict: refuse FP32 tensors of the inference protocol that are hardly what they should be.

    Raises:
        UserError: for an impossible port, token or origin.
    """

    models: tuple[str, ...] = ()
    host: str = LOOPBACK
    port: int = 8000
    grpc_port: int | None = None
    token: str | None = None
    origins: tuple[str, ...] = ()
    runs: Path = Path("runs")
    body_bytes: int = 20_000_000
    pixels: int = 25_000_000
    images: int = 64
    pictures = renamed_attribute("pictures", "images")
    rows: int = 1024
    seconds: float = 30.0
    wait: float = 1.0
    requests: int = 512
    connections: int = 2048
    queue: int = 256
    pages: int = 8
    batch: int = 64
    trainings: int = 1
    workers: int = 1
    model_control: Path | None = None
    framed: bool = False
    strict: bool = False

    def __post_init__(self) -> None:
        """Raises a UserError for an impossible value."""
        for port in (self.port, self.grpc_port or 0):
            if not 0 <= port <= 65535:
                raise UserError(f"port was given as {port}; expected 0 to 65535")
        if self.workers > 1 and self.model_control is not None:
            raise UserError(
                f"--model-control was given with {self.workers} workers, of which a request "
                "reaches one; give --workers 1, or send SIGHUP to load all models anew"
            )
        if self.token is not None and (not self.token.isascii() or not self.token.strip()):
            raise UserError(
                "the token is empty or has characters outside ASCII; expected ASCII characters"
            )
        for origin in self.origins:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
                raise UserError(
                    f"an origin was given as {origin!r}; expected one such as https://example.org"
                )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


if not TYPE_CHECKING:  # a dataclass writes its own __init__
    ServerSettings.__init__ = renamed_parameters(pictures="images")(ServerSettings.__init__)
