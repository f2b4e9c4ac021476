"""The server on Ray Serve: the same routes, in replicas.

    serve run holmdel.server.ray_app:app models=lenet-mnist replicas=2

It needs the extra `ray-serve`. A replica makes the application of `create_app`, its batcher within;
Ray Serve shares requests out, and replaces replicas one by one when it is deployed anew.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ray import serve

from holmdel.errors import UserError
from holmdel.server.settings import ServerSettings

_WHOLE = ("requests", "queue", "batch", "images", "rows", "pages", "pixels", "body_bytes")
_KNOWN = ("models", "token", "origins", "seconds", *_WHOLE)


def app(arguments: Mapping[str, str]) -> serve.Application:
    """Returns the application of Ray Serve.

    Args:
        arguments: fields of `ServerSettings`, `models` and `origins` with commas between; further
            `replicas`, 1 if not given, and `cpus` of each, 1.

    Raises:
        UserError: for another name, or a value that is no number where one is expected.
    """
    given = dict(arguments)
    replicas, cpus = _number(given, "replicas", 1), _number(given, "cpus", 1)
    settings = _settings(given)

    def build() -> Any:
        import torch

        from holmdel.server.app import create_app

        torch.set_num_threads(max(1, int(cpus)))
        return create_app(settings, log=None)

    class Holmdel:
        """A replica."""

    deployment: Any = serve.deployment(
        serve.ingress(build)(Holmdel),
        name="holmdel",
        num_replicas=int(replicas),
        ray_actor_options={"num_cpus": cpus},
        max_ongoing_requests=settings.requests,
    )
    application: serve.Application = deployment.bind()
    return application


def _settings(given: dict[str, str]) -> ServerSettings:
    """Returns the settings of each replica; Ray Serve's proxy is what listens."""
    if unknown := sorted({*given} - {*_KNOWN}):
        raise UserError(f"{unknown[0]} was given; choose from replicas, cpus, {', '.join(_KNOWN)}")
    values: dict[str, Any] = {}
    for one in fields(ServerSettings):
        if one.name in _WHOLE and one.name in given:
            values[one.name] = int(_number(given, one.name, 0))
        elif one.name in ("models", "origins") and one.name in given:
            values[one.name] = tuple(part for part in given[one.name].split(",") if part)
        elif one.name in given:
            values[one.name] = given[one.name]
    if "seconds" in values:
        values["seconds"] = float(values["seconds"])
    return ServerSettings(host="0.0.0.0", grpc_port=0, **values)


def _number(given: dict[str, str], name: str, usual: float) -> float:
    """Takes a number from what was given."""
    value = given.pop(name, usual)
    try:
        return float(value)
    except ValueError:
        raise UserError(f"{name} was given as {value!r}; expected a number") from None
