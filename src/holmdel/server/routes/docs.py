"""The description of the routes for people: Swagger UI, with its files from this machine."""

from pathlib import Path

import fastapi_offline
from fastapi import Response

from holmdel.server.router import Router

router = Router(include_in_schema=False)

FILES = Path(fastapi_offline.__file__).parent / "static"
MOUNTED = "/docs/files"
_SCRIPT, _STYLE = f"{MOUNTED}/swagger-ui-bundle.js", f"{MOUNTED}/swagger-ui.css"
PATHS = frozenset({"/docs", "/docs/start.js", _SCRIPT, _STYLE})

_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Holmdel: the routes</title>
<link rel="stylesheet" href="{_STYLE}">
<div id="routes"></div>
<script src="{_SCRIPT}"></script>
<script src="/docs/start.js"></script>
</html>
"""
_START = """let token = "";
const ask = () => fetch("/openapi.json", token ? { headers: { Authorization: token } } : {});
const start = async () => {
  let answer = await ask();
  if (answer.status === 401) {
    token = `Bearer ${prompt("The server's token")}`;
    answer = await ask();
  }
  SwaggerUIBundle({
    dom_id: "#routes",
    spec: await answer.json(),
    requestInterceptor(request) {
      if (token) request.headers.Authorization = token;
      return request;
    },
  });
};
start();
"""


@router.get("/docs")
async def page() -> Response:
    """Returns the page."""
    return Response(_PAGE, media_type="text/html")


@router.get("/docs/start.js")
async def start() -> Response:
    """Returns what the page does first: a script of its own, as the page may run no other."""
    return Response(_START, media_type="text/javascript")
