"""What a server is started with: models, address, limits."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from holmdel.errors import UserError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What a server is started with.

    Attributes:
        models: run folders, `.safetensors` files or names that ship; the shipped ones if empty.
        host: the address to listen on.
        port: the port to listen on; 0 for a free one.
        token: what a request must carry as `Authorization: Bearer TOKEN`; None for nothing.
        origins: other sites whose pages may use the server (CORS), such as `https://example.org`.
        runs: the folder that kept trainings go into.
        body_bytes: the largest body of a request.
        pixels: the most pixels of a picture.
        pictures: the most pictures of a request.
        rows: the most rows of a tensor.
        seconds: the longest that a request may take.
        requests: how many requests may be under way.
        connections: how many connections may be open.
        queue: how many pictures may wait for the network.
        pages: how many pages may wait to be read.
        batch: the most pictures that go through the network together.
        trainings: how many trainings may run at once.

    Raises:
        UserError: for a port, token or origin that cannot be.
    """

    models: tuple[str, ...] = ()
    host: str = LOOPBACK
    port: int = 8000
    token: str | None = None
    origins: tuple[str, ...] = ()
    runs: Path = Path("runs")
    body_bytes: int = 20_000_000
    pixels: int = 25_000_000
    pictures: int = 64
    rows: int = 1024
    seconds: float = 30.0
    requests: int = 512
    connections: int = 2048
    queue: int = 256
    pages: int = 8
    batch: int = 64
    trainings: int = 1

    def __post_init__(self) -> None:
        """Raises a UserError for a value that cannot be."""
        if not 0 <= self.port <= 65535:
            raise UserError(f"port was given as {self.port}; expected 0 to 65535")
        if self.token is not None and (not self.token.isascii() or not self.token.strip()):
            raise UserError("the token was given empty or with other than ASCII letters")
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
