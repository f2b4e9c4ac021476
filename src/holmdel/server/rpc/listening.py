"""The gRPC server: its port, its health and reflection services, and its end."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from holmdel.server.listener import grpc_taken
from holmdel.server.rpc.messages import POOL, SERVICE
from holmdel.server.rpc.service import InferenceService, TokenCheck

if TYPE_CHECKING:
    from holmdel.server.services import Services

_AFTER = 0.5  # seconds for what is still open when all requests have been answered
_LOOK = 0.02  # seconds between two looks at whether they have

for file in (health_pb2, reflection_pb2):
    POOL.AddSerializedFile(file.DESCRIPTOR.serialized_pb)


class GrpcServer:
    """The protocol's service, health and reflection on a port.

    Args:
        services: what it shares with the routes.
    """

    def __init__(self, services: "Services") -> None:
        self._gate = services.gate
        self._health = health.aio.HealthServicer()
        self._settings = settings = services.settings
        self._server: Any = grpc.aio.server(
            interceptors=(TokenCheck(services, (health.SERVICE_NAME,)),),
            maximum_concurrent_rpcs=settings.connections,
            options=[
                ("grpc.max_receive_message_length", settings.body_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 1),  # the port is held, for processes that may share it
            ],
        )
        self._server.add_generic_rpc_handlers((InferenceService(services).handlers(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server, pool=POOL)

    async def start(self) -> None:
        """Listens.

        Raises:
            UserError: if the address cannot be used.
        """
        host, port = self._settings.host, self._settings.grpc_port
        try:
            self._server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except RuntimeError:
            raise grpc_taken(host, port) from None
        await self._server.start()
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, seconds: float) -> None:
        """Answers what is under way, within so many seconds, and ends the streams."""
        await self._health.enter_graceful_shutdown()
        until = time.monotonic() + seconds
        while self._gate.under_way and time.monotonic() < until:
            await asyncio.sleep(_LOOK)
        await self._server.stop(_AFTER)
