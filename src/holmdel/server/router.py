"""Routers whose routes have short names in the OpenAPI document, and routes that answer at once."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


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

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request of a method that the route has; the application tells of mistakes."""
        if scope["query_string"] or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        answer: Response = await self.endpoint(Request(scope, receive, send))
        await answer(scope, receive, send)
