"""The page's files, read when the server starts: no path of a request reaches the file system."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter, HTTPException, Request, Response

router = APIRouter(include_in_schema=False)

_INDEX = "index.html"
_KINDS = {".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/json"}


@dataclass(frozen=True)
class _Asset:
    content: bytes
    packed: bytes  # by gzip
    kind: str
    tag: str


def _read() -> dict[str, _Asset]:
    assets = {}
    for file in sorted((resources.files("holmdel.server") / "page").iterdir(), key=str):
        if not file.is_file() or file.name.endswith(".d.ts"):  # types, for the check only
            continue
        content = file.read_bytes()
        ending = file.name[file.name.rfind(".") :]
        kind = _KINDS.get(ending) or mimetypes.guess_type(file.name)[0] or "text/plain"
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        assets[file.name] = _Asset(content, gzip.compress(content, mtime=0), kind, tag)
    return assets


_ASSETS = _read()
PATHS = frozenset({"/", *(f"/page/{name}" for name in _ASSETS)})


@router.get("/")
async def index(request: Request) -> Response:
    """Returns the page."""
    return _answer(request, _ASSETS[_INDEX])


@router.get("/page/{name}")
async def asset(request: Request, name: str) -> Response:
    """Returns one of the page's files.

    Raises:
        HTTPException: 404 if there is none of this name.
    """
    found = _ASSETS.get(name)
    if found is None:
        raise HTTPException(404)
    return _answer(request, found)


def _answer(request: Request, found: _Asset) -> Response:
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.content, media_type=found.kind, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(found.packed, media_type=found.kind, headers=headers)
