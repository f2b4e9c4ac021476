"""What the classes of the book's current edition are made with."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])


def add_to_class(Class: type) -> Callable[[T], T]:  # noqa: N803
    """Returns a decorator that makes a function a method of a class that is already defined."""

    def add(function: T) -> T:
        setattr(Class, function.__name__, function)
        return function

    return add


class HyperParameters:
    """A class that can keep the arguments of its `__init__` as attributes.

    Attributes:
        hparams: the arguments, by name.
    """

    hparams: dict[str, Any]

    def save_hyperparameters(self, ignore: Sequence[str] = ()) -> None:
        """Keeps the local variables of the method that calls it, so its arguments, by their names.

        Args:
            ignore: names that are left out; `self` and names with a leading underscore always are.
        """
        frame = inspect.currentframe()
        caller = frame.f_back if frame else None
        found = dict(caller.f_locals) if caller else {}
        left_out = {"self", *ignore}
        self.hparams = {
            name: value
            for name, value in found.items()
            if name not in left_out and not name.startswith("_")
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)
