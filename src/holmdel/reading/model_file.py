"""Where the line network that reads lies."""

from importlib import resources
from pathlib import Path

from holmdel.errors import UserError

SHIPPED = "reader"


def model_file(model: str | Path | None) -> Path:
    """Returns the file of a line network: as given, in a folder, or the one that ships.

    Raises:
        UserError: if there is none.
    """
    if model is None or str(model) == SHIPPED:
        path = Path(str(resources.files("holmdel") / "weights" / f"{SHIPPED}.safetensors"))
        if not path.is_file():
            raise UserError("no reader ships with this version; give a model of your own")
        return path
    path = Path(model)
    path = path / "model.safetensors" if path.is_dir() else path
    if not path.is_file():
        raise UserError(
            f"there is no reader {model}; expected a .safetensors file or a folder that "
            "`holmdel train reader` wrote"
        )
    return path
