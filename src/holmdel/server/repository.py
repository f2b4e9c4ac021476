"""Where the models of a server come from: the command line, and one folder of run folders."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from holmdel.checkpoint import trained_on
from holmdel.classifier import load, shipped
from holmdel.errors import UserError
from holmdel.programs.own import called, is_own
from holmdel.server.errors import RequestError
from holmdel.server.models import MODEL_VERSION, Model, Models
from holmdel.server.own_models import own_classifier

_FIRST = "lenet-mnist"  # the default of the shipped ones: what people draw is digits
_WEIGHTS = "model.safetensors"


class _Place(NamedTuple):
    """Where a version of a model is: a run folder, a file or a name that ships."""

    version: str
    where: str


class Repository:
    """Loads models, and loads them anew.

    Args:
        models: gets them.
        wanted: run folders, `.safetensors` files, shipped names, or networks as `FILE.py:NAME`; all
            shipped ones if empty.
        root: the folder whose run folders requests may load by their names; None for none.

    Raises:
        UserError: if a model cannot be loaded, or there is none.
    """

    def __init__(self, models: Models, wanted: tuple[str, ...], root: Path | None = None) -> None:
        self.models = models
        self._root = root
        self._lock = threading.Lock()  # one load at a time
        self._sources: dict[str, str] = {}
        if root is not None and not root.is_dir():
            raise UserError(f"--model-control names {root}, which is no folder; expected one")
        for name in wanted or sorted(shipped(), key=lambda name: (name != _FIRST, name)):
            free = self.models.free_name(_called(name))
            self._load(free, name, warm=False)
        if not self._sources:
            raise UserError(
                "no model was given, and none ships with this version; give a run folder"
            )

    def reload(self) -> Iterable[str]:
        """Loads all models anew from where they came; yields a sentence for each that cannot be.

        Such a model stays as it was.
        """
        for name, source in tuple(self._sources.items()):
            with self._lock:
                try:
                    self._load(name, source)
                except UserError as error:
                    yield f"the model {name} was not loaded anew: {error}"

    def load(self, name: str) -> None:
        """Loads a run folder of the root, or loads it anew.

        Raises:
            RequestError: 403 where requests may load nothing, 404 if there is none of this name.
            UserError: if it cannot be loaded.
        """
        names = self._offered()
        if name not in (*names, *self._sources):
            listed = ", ".join(names) or "no run folder"
            raise RequestError(
                404, f"there is no model {name!r} in the folder of --model-control; it has {listed}"
            )
        with self._lock:
            self._load(name, self._sources.get(name) or str(self._root / name))  # type: ignore[operator]

    def unload(self, name: str) -> None:
        """Removes a model; what is under way ends with it.

        Raises:
            RequestError: 403 where requests may load nothing, 404 if there is none of this name.
        """
        self._offered()
        with self._lock:
            self.models.get(name or "-")
            self.models.remove(name)
            self._sources.pop(name, None)

    def unloaded(self) -> list[str]:
        """Returns the names that could be loaded and are not."""
        if self._root is None:
            return []
        loaded = {model.name for model in self.models}
        return [name for name in self._offered() if name not in loaded]

    def _offered(self) -> list[str]:
        """Returns the names of the root's run folders.

        A request's name is looked up here and never made into a path.

        Raises:
            RequestError: 403 where requests may load nothing.
        """
        if self._root is None:
            raise RequestError(
                403,
                "models cannot be loaded or unloaded by requests; start the server with "
                "--model-control DIR",
            )
        with os.scandir(self._root) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and _places(entry.path))

    def _load(self, name: str, source: str, *, warm: bool = True) -> None:
        """Puts all versions of a model in place of those of its name, each warm if asked."""
        loaded = [
            self._loaded(name, place)
            for place in _places(source) or [_Place(MODEL_VERSION, source)]
        ]
        if warm:
            for model in loaded:
                model.warm()
        self.models.replace(name, loaded)
        self._sources[name] = source

    def _loaded(self, name: str, place: _Place) -> Model:
        if is_own(place.where):
            return self.models.made(
                name, own_classifier(place.where), "folder", None, place.version
            )
        classifier, path = load(place.where), Path(place.where)
        source = "folder" if path.exists() else "shipped"
        data = trained_on(path) if path.is_dir() else None
        return self.models.made(name, classifier, source, data, place.version)


def _called(source: str) -> str:
    """Returns what the model of a run folder, a file or a shipped name is called."""
    if is_own(source):
        return called(source)
    path = Path(source)
    if path.is_dir():
        return path.resolve().name
    return path.stem if path.is_file() else source


def _places(source: str) -> list[_Place]:
    """Returns the versions of a model: run folders named 1, 2, ... in a folder, or the model alone.

    A folder without any model has none; what is no folder is one version, if it is there or not.
    """
    folder = Path(source)
    if not folder.is_dir() or (folder / _WEIGHTS).is_file():
        return [_Place(MODEL_VERSION, source)]
    numbered = (entry for entry in folder.iterdir() if _is_version(entry.name))
    found = [_Place(entry.name, str(entry)) for entry in numbered if (entry / _WEIGHTS).is_file()]
    return sorted(found, key=lambda place: int(place.version))


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 10 and not name.startswith("0")
