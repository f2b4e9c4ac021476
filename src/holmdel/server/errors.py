"""Errors over HTTP: the exception, its answer as JSON, and its description in OpenAPI."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from holmdel.errors import UserError
from holmdel.images.formats import NotAnImage
from holmdel.images.opening import TooLarge

BUSY = 1  # seconds after which a client that was refused for lack of room may try again


class RequestError(UserError):
    """A request that the server does not serve, with the status and headers of the answer.

    Args:
        status: 400..599.
        sentence: what was given, what was expected, what to do.
        retry_after: seconds after which the client may try again; None where that does not help.
    """

    def __init__(self, status: int, sentence: str, *, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers: dict[str, str] = (
            {} if retry_after is None else {"Retry-After": str(retry_after)}
        )
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"


class Error(BaseModel):
    """The body of every error: one sentence that says what to do."""

    error: str


_SAYS = {
    400: "The request has a mistake; the sentence says what was expected.",
    401: "The request has no token or a wrong one; send Authorization: Bearer TOKEN.",
    403: "A page of a site that is not allowed sent the request, or its Host is not this machine.",
    404: "What the path or a parameter names does not exist.",
    408: "The request took longer than the time limit.",
    409: "The training is not in a state in which this is possible.",
    413: "The body, the image or the number of images is above the limit.",
    415: "The body is not an image, or is in a format that cannot be read.",
    422: "The image is damaged, or nothing is on it.",
    429: "As many trainings run as may run at once.",
    503: "The server is busy or is stopping; try again later.",
    507: "The server has no room for the upload; send it again later, or in parts.",
}


_ALWAYS = (400, 401, 403, 408, 413, 503)
_OF_UPLOADS = (507,)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Returns the OpenAPI description of the errors that a route may answer with.

    Args:
        statuses: beside those of every route: 400, 401, 403, 408, 413 and 503; and 507 with 415.
    """
    return {
        status: {"model": Error, "description": _SAYS[status]}
        for status in sorted({*statuses, *_ALWAYS, *(_OF_UPLOADS if 415 in statuses else ())})
    }


def error_response(
    status: int, sentence: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Returns an error as an answer."""
    return JSONResponse({"error": sentence}, status, headers)


async def on_user_error(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to a `UserError`: 400, or the status of a `RequestError`."""
    if isinstance(error, RequestError):
        return error_response(error.status, str(error), error.headers)
    return error_response(400, str(error))


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to a parameter that FastAPI did not accept: 400 and the reason."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    given = f" was given as {first['input']!r}" if isinstance(first.get("input"), str) else ""
    said = first["msg"]
    return error_response(400, f"{where}{given}: {said[:1].lower()}{said[1:]}")


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Returns the answer to an unknown path (404) or a wrong method (405)."""
    assert isinstance(error, HTTPException)
    sentences = {
        404: f"there is no route {request.url.path}; /openapi.json lists the routes",
        405: f"the route {request.url.path} does not accept {request.method}; "
        "/openapi.json lists its methods",
    }
    return error_response(
        error.status_code, sentences.get(error.status_code, error.detail), error.headers
    )


def image_error(error: UserError) -> RequestError:
    """Returns the error of an image that cannot be used: 413, 415, or 422 for a damaged one."""
    if isinstance(error, RequestError):
        return error
    statuses = {NotAnImage: 415, TooLarge: 413}
    return RequestError(statuses.get(type(error), 422), str(error))
