"""Old names that keep working for one version, with a warning that says the new one."""

import functools
import importlib
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed_parameters(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Returns a decorator that accepts keyword arguments by their old names too.

    Args:
        names: old name = new name.

    >>> @renamed_parameters(pictures="images")
    ... def count(images):
    ...     return len(images)
    >>> with warnings.catch_warnings(action="ignore"):
    ...     count(pictures=[1, 2])
    2
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if kwargs:  # the engine's calls have none, and microseconds to spend
                for old, new in names.items():
                    if old in kwargs and new not in kwargs:
                        _warn(f"the parameter {old!r} of {function.__name__}", repr(new))
                        kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def renamed_names(module: str, names: dict[str, str]) -> Callable[[str], Any]:
    """Returns a module's `__getattr__` that finds what has another name or home now.

    Args:
        module: the module's `__name__`.
        names: old name -> where it is now, such as `holmdel.images.ImageContract`.
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        _warn(f"{module}.{name}", names[name])
        home, _, new = names[name].rpartition(".")
        return getattr(importlib.import_module(home), new)

    return find


def renamed_attribute(old: str, new: str) -> property:
    """Returns a property that gives attribute `new` under its old name."""

    def find(self: Any) -> Any:
        _warn(f"{type(self).__name__}.{old}", f"{type(self).__name__}.{new}")
        return getattr(self, new)

    return property(find, doc=f"Old name of `{new}`.")


def renamed_method(old: str, new: str) -> Callable[[Any], Any]:
    """Returns a method that calls the function which took its place.

    Args:
        old: the method's name.
        new: the function, such as `holmdel.draw`; it takes what the method belonged to.
    """

    def call(self: Any) -> Any:
        _warn(f"{type(self).__name__}.{old}()", f"{new}()")
        home, _, name = new.rpartition(".")
        return getattr(importlib.import_module(home), name)(self)

    return call


def _warn(old: str, new: str) -> None:
    message = f"{old} is now {new}; the old name goes with version 0.3"
    warnings.warn(message, DeprecationWarning, stacklevel=3)
