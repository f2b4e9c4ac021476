"""Networks of one's own: a module, a class, a function that returns one, or `FILE.py:NAME`."""

import contextlib
import copy
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from holmdel.errors import UserError
from holmdel.programs.mistakes import failing

Size = tuple[int, int, int]
Given = str | nn.Module | Callable[..., nn.Module]
_ENDING = ".py"
_SOME_CLASSES = 10
# What a training knows, by the names that functions and classes have for it.
_CLASSES = ("classes", "num_classes", "n_classes")
_CHANNELS = ("channels", "in_channels", "num_channels")


@dataclass(frozen=True)
class Own:
    """A network of the user's own.

    Attributes:
        name: what it is called: its class, or the function's or file's name for it.
        maker: the class or function that makes it; None for a module that was given.
        module: that module; None for one that is made.
        target: `FILE.py:NAME`, where it came from a file that the user named.
        file: the name and the text of the file that its code is in, where there is one.
    """

    name: str
    maker: Callable[..., nn.Module] | None
    module: nn.Module | None
    target: str | None = None
    file: tuple[str, str] | None = field(default=None, repr=False)

    def first_size(self, sizes: Iterable[Size]) -> Size | None:
        """Returns the first of some sizes (C, H, W) for whose images it runs; None for none."""
        for size in sizes:
            with contextlib.suppress(UserError):
                self._run(_SOME_CLASSES, size)
                return size
        return None

    def build(self, classes: int, size: Size) -> nn.Module:
        """Returns the network, a new one each time, its lazy layers made for images of a size.

        Args:
            classes: how many; given to a class or function that has such a parameter.
            size: (C, H, W) of what it sees, likewise.

        Raises:
            UserError: if it cannot be made, does not run for such images, or gives other logits.
        """
        network, logits = self._run(classes, size)
        given = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        if given != (2, classes):
            raise UserError(
                f"{self.name} gives {_shown(given)} for 2 images; expected a row of {classes} "
                f"logits each, one a class: {(2, classes)}"
            )
        return network

    def _run(self, classes: int, size: Size) -> tuple[nn.Module, Any]:
        """Returns the network, and what it gives for two images of zeros."""
        network = self.made(classes, size)
        training = network.training
        try:
            with torch.no_grad():
                logits = network.eval()(torch.zeros(2, *size))
        except Exception as error:
            sentence = _does_not_run(self.name, network, size, error)
            raise UserError(sentence) from None
        return network.train(training), logits

    def made(self, classes: int, size: Size) -> nn.Module:
        """Returns the network, new, or a copy of the module that was given; not yet run.

        Args and Raises: as `build`.
        """
        if self.maker is None:
            return copy.deepcopy(self.module)  # type: ignore[return-value]
        known: dict[str, Any] = dict.fromkeys(_CLASSES, classes)
        known |= dict.fromkeys(_CHANNELS, size[0]) | {"size": size[1:]}
        options = {}
        for name, parameter in inspect.signature(self.maker).parameters.items():
            if name in known:
                options[name] = known[name]
            elif parameter.default is parameter.empty and parameter.kind not in _ANY:
                raise UserError(
                    f"{self.name} cannot be made without its argument {name!r}; give it a default, "
                    f"or a function without arguments such as lambda: {self.name}(...)"
                )
        try:
            network = self.maker(**options)
        except Exception as error:
            raise UserError(f"{self.name} cannot be made: {_said(error)}") from None
        if not isinstance(network, nn.Module):
            raise UserError(
                f"{self.name} returned a {type(network).__name__}; expected a torch.nn.Module"
            )
        return unwrapped(network)


_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def own(given: Given) -> Own | None:
    """Returns a network of the user's own; None for a text that is no `FILE.py` or `FILE.py:NAME`.

    The file that a text names is run.

    Raises:
        UserError: for a file that is not there, cannot be run or has no such network, or for what
            is no network.
    """
    if isinstance(given, str):
        file, name = _target(given)
        return None if file is None else _from_file(file, name)
    return _of(given)


def is_own(text: str) -> bool:
    """Returns whether a text names a network of one's own: `FILE.py` or `FILE.py:NAME`."""
    return _target(text)[0] is not None


def called(given: Given) -> str:
    """Returns what a network is called, without running the file that it may be in."""
    if not isinstance(given, str):
        return _of(given).name
    file, name = _target(given)
    return name or (file.stem if file else given)


def _target(text: str) -> tuple[Path | None, str]:
    """Returns the file and the name in `FILE.py:NAME`; None for another text."""
    if text.endswith(_ENDING):
        return Path(text), ""
    file, found, name = text.rpartition(f"{_ENDING}:")
    return (Path(file + _ENDING), name) if found else (None, "")


def _of(given: Any, name: str = "") -> Own:
    if isinstance(given, nn.Module):
        module = unwrapped(given)
        return Own(name or type(module).__name__, None, module, file=_source(type(module)))
    if callable(given):
        called = name or getattr(given, "__name__", "").strip("<>") or "network"
        return Own(called, given, None, file=_source(given))
    raise UserError(
        f"{name or 'the network'} was given as a {type(given).__name__}; expected a "
        "torch.nn.Module, a class of them, or a function that returns one"
    )


def unwrapped(module: nn.Module) -> nn.Module:
    """Returns what a wrapper such as DataParallel or torch.compile works on."""
    for name in ("_orig_mod", "module"):
        inner = getattr(module, name, None)
        wraps = name == "_orig_mod" or isinstance(module, nn.DataParallel)
        if wraps and isinstance(inner, nn.Module):
            return unwrapped(inner)
    return module


def _from_file(file: Path, name: str) -> Own:
    if not file.is_file():
        raise UserError(f"there is no file {file}; expected FILE.py:NAME, a network in a file")
    names = _run(file)
    if not name:
        name = _only(file, names)
    if name not in names:
        raise UserError(f"{file} has no {name!r}; it has {_listed(names) or 'no network'}")
    found = _of(names[name], name)
    text = file.read_text(encoding="utf-8")
    return Own(found.name, found.maker, found.module, f"{file}:{name}", (file.name, text))


def _run(file: Path) -> dict[str, Any]:
    """Returns what a file defines, after running it."""
    spec = importlib.util.spec_from_file_location(_module_name(file), file.absolute())
    assert spec is not None  # its name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        with _beside(file):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UserError(f"{file} cannot be run: {_said(error, file)}") from None
    return {k: v for k, v in vars(module).items() if not k.startswith("__")}


def _module_name(file: Path) -> str:
    return f"own_{file.stem}"  # so that it hides no other module


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[None]:
    """Lets a file import those beside it, as a script may."""
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        yield
    finally:
        sys.path.pop(0)


def _only(file: Path, names: dict[str, Any]) -> str:
    """Returns the name of the one network in a file."""
    found = _networks(names, _module_name(file))
    if len(found) != 1:
        listed = f"it has {', '.join(found)}" if found else "it has no class of torch.nn.Module"
        raise UserError(f"{file} was given without a name in it, and {listed}; give {file}:NAME")
    return found[0]


def _networks(names: dict[str, Any], module: str) -> list[str]:
    """Returns the names of modules, and of the classes of modules that a file defines itself."""
    return [
        name
        for name, value in names.items()
        if isinstance(value, nn.Module)
        or (isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module)
    ]


def _listed(names: dict[str, Any]) -> str:
    found = [n for n, v in names.items() if isinstance(v, nn.Module) or inspect.isclass(v)]
    found += [n for n, v in names.items() if inspect.isfunction(v)]
    return ", ".join(found[:20])


def _source(made: Any) -> tuple[str, str] | None:
    """Returns the name and the text of the file of a class or function; None if there is none.

    Of what was typed in a notebook the text alone is known, and only of some.
    """
    module = getattr(made, "__module__", "") or ""
    if module.partition(".")[0] in ("torch", "holmdel"):
        return None
    with contextlib.suppress(OSError, TypeError):
        file = inspect.getsourcefile(made)
        if file and Path(file).is_file():
            return Path(file).name, Path(file).read_text(encoding="utf-8")
    with contextlib.suppress(OSError, TypeError):
        return "network.py", inspect.getsource(made)
    return None


def _does_not_run(name: str, network: nn.Module, size: Size, error: Exception) -> str:
    seen = "x".join(map(str, size))
    if any(is_lazy(parameter) for parameter in network.parameters()):
        return f"{name} has lazy layers that images of {seen} do not make: {_said(error)}"
    reason = failing(network, torch.zeros(2, *size)) or _said(error)
    return f"{name} does not run for images of {seen}: {reason}; say what it sees with input"


def _said(error: BaseException, file: Path | None = None) -> str:
    """Returns what an error says, in one line, with the line of the user's file that raised it."""
    reason = str(error).strip().partition("\n")[0].rstrip(". ")
    text = f"{type(error).__name__}{f': {reason}' if reason else ''}"
    trace, line = error.__traceback__, None
    while trace is not None:
        if file is not None and trace.tb_frame.f_code.co_filename == str(file.absolute()):
            line = trace.tb_lineno
        trace = trace.tb_next
    return text if line is None else f"{text}, in line {line}"


def _shown(given: tuple[int, ...] | str) -> str:
    return f"a {given}" if isinstance(given, str) else str(given)
