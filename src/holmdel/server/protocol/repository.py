"""The models of a server as the protocol says it: their index, loading, unloading."""

from typing import TYPE_CHECKING, Any

from holmdel.errors import UserError

if TYPE_CHECKING:
    from holmdel.server.services import Services


def index(shared: "Services", *, ready: bool) -> list[dict[str, str]]:
    """Returns the models that are loaded, and those that may be.

    Args:
        shared: of the server.
        ready: whether those that accept requests are meant alone.
    """
    stopping = shared.draining.is_set()
    if stopping and ready:
        return []
    state, reason = ("UNAVAILABLE", "the server is stopping") if stopping else ("READY", "")
    loaded = [
        {"name": model.name, "version": model.version, "state": state, "reason": reason}
        for model in shared.models.each()
    ]
    if ready:
        return loaded
    return loaded + [
        {"name": name, "version": "", "state": "UNAVAILABLE", "reason": "not loaded"}
        for name in shared.repository.unloaded()
    ]


async def load(shared: "Services", name: str, parameters: dict[str, Any]) -> None:
    """Loads a model, or loads it anew, and has it classify an image.

    Raises:
        RequestError: 403 where requests may load nothing, 404 if there is none of this name.
        UserError: if it cannot be loaded, or for parameters, of which there are none.
    """
    if parameters:
        raise UserError(
            f"the parameters {', '.join(sorted(parameters))} were given; expected none, as a model "
            "is loaded as its run folder says"
        )
    await shared.run(shared.repository.load, name)


async def unload(shared: "Services", name: str) -> None:
    """Removes a model; what is under way ends with it.

    Raises:
        RequestError: 403 where requests may load nothing, 404 if there is none of this name.
    """
    await shared.run(shared.repository.unload, name)
