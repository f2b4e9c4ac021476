"""What the server will not do, and the answer that says so."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from holmdel.errors import UserError


class Refusal(UserError):  # noqa: N818 - an answer, not only an error
    """A request that is not served, with the status that says what kind of reason it has.

    Args:
        status: of HTTP, 400..599.
        sentence: what was given, what was expected, what to do.
        retry_after: seconds after which to try again, where that helps.
    """

    def __init__(self, status: int, sentence: str, *, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after


class Error(BaseModel):
    """The body of every answer that is none: one sentence."""

    error: str


_SAYS = {
    400: "A mistake in the request.",
    401: "No token, or another.",
    403: "A page of another site, or another host's name.",
    404: "There is no such thing.",
    408: "It took too long.",
    409: "Not now.",
    413: "Too large.",
    415: "Not a picture, or not of a kind that is read.",
    422: "A picture that is damaged.",
    429: "Too many trainings.",
    503: "Too busy, or stopping.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Returns what the OpenAPI document says of the statuses a route may refuse with."""
    return {
        status: {"model": Error, "description": _SAYS[status]}
        for status in sorted({*statuses, 400, 401, 403, 408, 413, 503})
    }


def answer(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Returns the answer of a refusal."""
    return JSONResponse({"error": sentence}, status, headers)


async def on_user_error(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to a user's mistake: 400, or the status of a Refusal."""
    if isinstance(error, Refusal):
        later = None if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        return answer(error.status, str(error), later)
    return answer(400, str(error))


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to a parameter that FastAPI refused: 400 and what was wrong with it."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    given = f" was given as {first['input']!r}" if isinstance(first.get("input"), str) else ""
    said = first["msg"]
    return answer(400, f"{where}{given}: {said[:1].lower()}{said[1:]}")


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to a path that is not there, or a method it does not take."""
    assert isinstance(error, HTTPException)
    sentences = {
        404: f"there is nothing at {request.url.path}; /openapi.json says what there is",
        405: f"{request.url.path} does not take {request.method}; /openapi.json says what it takes",
    }
    return answer(error.status_code, sentences.get(error.status_code, error.detail), error.headers)
