"""The page's files, read when the server starts: no path of a request reaches the file system."""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import HTTPException, Request, Response
from starlette.responses import JSONResponse

from holmdel.files.page_text import STYLES, bare
from holmdel.server.bundle import bundle, order
from holmdel.server.router import Router

router = Router(include_in_schema=False)

_INDEX, _BEGIN = "index.html", "main.js"
_LATER = ("train", "anatomy", "read")  # tabs that are loaded when they are opened
_STORY = "unit/story.js"  # what explains a unit: loaded when one is pointed at
_LANGUAGES = ("en", "zh")
_LATER_TEXTS = ("train.", "anatomy.", "build.", "read.", "option.", "choice.")  # of those tabs
_KINDS = {".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class _Asset:
    content: bytes
    packed: bytes  # by gzip
    kind: str
    tag: str


def _read() -> dict[str, _Asset]:
    return {name: _asset(name, text) for name, text in _sent(_texts()).items()}


def _texts() -> dict[str, str]:
    """Returns the text of each file of the page by its path."""
    page = resources.files("holmdel.server") / "page"
    return {name: file.read_text(encoding="utf-8") for name, file in _files(page, "")}


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for file in sorted(folder.iterdir(), key=str):
        if file.is_dir():
            yield from _files(file, f"{path}{file.name}/")
        elif not file.name.endswith(".d.ts"):  # types, for the check only
            yield path + file.name, file


def _sent(texts: dict[str, str]) -> dict[str, str]:
    """Returns what the browser gets: files as they are, and modules and styles bundled."""
    modules = {name: text for name, text in texts.items() if name.endswith(".js")}
    first = order(modules, _BEGIN)
    sent = {name: texts[name] for name in (_INDEX, "icon.svg")}
    sent[_BEGIN] = bundle(modules, first)
    sent["main.css"] = bare("".join(texts[name] for name in STYLES))
    sent["story.js"] = bundle(modules, order(modules, _STORY, first))
    for language in _LANGUAGES:
        sent |= _said(language, json.loads(texts[f"{language}.json"]))
    for tab in _LATER:
        wanted = f"{tab}/tab.js"
        sent[f"{tab}.js"] = bundle(modules, order(modules, wanted, first), wanted)
        sent[f"{tab}.css"] = bare(texts[f"{tab}/{tab}.css"])
    return sent


def _said(language: str, table: dict[str, str]) -> dict[str, str]:
    """Returns what the page says in a language, as two files: of the first tab, of the others."""
    later = {key: text for key, text in table.items() if key.startswith(_LATER_TEXTS)}
    first = {key: text for key, text in table.items() if key not in later}
    parts = {f"{language}.json": first, f"{language}-later.json": later}
    return {
        name: json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        for name, part in parts.items()
    }


def _asset(name: str, text: str) -> _Asset:
    content = text.encode()
    ending = name[name.rfind(".") :]
    kind = _KINDS.get(ending) or mimetypes.guess_type(name)[0] or "text/plain"
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return _Asset(content, gzip.compress(content, mtime=0), kind, tag)


_ASSETS = _read()
PATHS = frozenset({"/", *(f"/page/{name}" for name in _ASSETS)})


@router.get("/")
async def index(request: Request) -> Response:
    """Returns the page; to a program, what KServe's first protocol says of a server that lives."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"status": "alive"}, headers={"Vary": "Accept"})
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
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept, Accept-Encoding"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.content, media_type=found.kind, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(found.packed, media_type=found.kind, headers=headers)
