"""Routers whose routes have short names in the OpenAPI document, and routes that answer at once."""

import re
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


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


class DirectRoutes:
    """ASGI middleware that hands requests for a route of `Direct` to it, and all others on.

    What is between, for dependencies and errors, such a route does not need where there is no
    query: the guard outside answers its errors.

    Args:
        app: the application with all routes.
        routes: of the application.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = [route for route in routes if isinstance(route, Direct)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a connection."""
        if scope["type"] == "http" and not scope["query_string"]:
            for route in self._routes:
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._app(scope, receive, send)
