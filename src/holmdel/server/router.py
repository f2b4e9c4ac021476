"""Routers whose routes have short names in the OpenAPI document, and routes that answer at once."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute


def operation_id(route: APIRoute) -> str:
    """Returns what generated clients call a route, such as `get_v2_models_name_stats`."""
    return "_".join([min(route.methods or ()).lower(), *re.findall(r"\w+", route.path)])


class Router(APIRouter):
    """Routes of one group."""

    def __init__(self, **more: Any) -> None:
        super().__init__(generate_unique_id_function=operation_id, **more)


class Direct(APIRoute):
    """A route that takes the request alone where there is no query; FastAPI looks for nothing then.

    Its search takes longer than framing a digit and asking the network.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Returns what answers a request."""
        searching = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.scope["query_string"]:
                return await searching(request)
            answer: Response = await self.endpoint(request)
            return answer

        return handle
