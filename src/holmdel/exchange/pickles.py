"""Pickles looked at as data: their arrays and names are taken out, and nothing is ever run.

A pickle is a small program, and `pickle.load` imports and calls what it names. Here only those of
its commands are followed that build plain values; what it would import is a `Name`, what it would
call an `Object` that says so. No size in it is believed: every byte comes from the file.
"""

import pickletools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from holmdel.exchange.archive import damaged


@dataclass(frozen=True)
class Name:
    """What a pickle would import: a class or a function."""

    module: str
    name: str

    def __str__(self) -> str:
        """Returns it as it is written in Python."""
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Object:
    """What a pickle would make: by what, of what, and what it would then be given.

    Attributes:
        made_by: what would be called.
        given: with what.
        state: what the object would then be filled with.
        pairs: what would be put into it, as into a dictionary.
    """

    made_by: object
    given: object
    state: object = None
    pairs: dict[object, object] = field(default_factory=dict)


_DICTIONARIES = (Name("collections", "OrderedDict"), Name("builtins", "dict"))
_MARK = object()


def read_pickle(path: object, content: bytes) -> Any:
    """Returns what a pickle holds: numbers, texts, lists, dictionaries, `Name` and `Object`.

    A reference to what is kept outside of the pickle is an `Object` made by None.

    Args:
        path: what sentences call the file.
        content: the pickle.

    Raises:
        UserError: if it is damaged.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            machine.follow(opcode.name, argument)
    except (*_DAMAGE, Exception) as error:
        raise damaged(path, f"as a pickle: {error}") from None
    return machine.result


_DAMAGE = (ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError, RecursionError)
_PLAIN = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "FLOAT", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("BINSTRING", "SHORT_BINSTRING", "STRING"),
}
_IGNORED = {"PROTO", "FRAME", "STOP"}
_CONSTANTS: Mapping[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class _Machine:
    """The stack of a pickle, and what it has put aside."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.commands: dict[str, Callable[[Any], None]] = {
            name.removeprefix("do_").upper(): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    @property
    def result(self) -> Any:
        return self.stack[-1] if self.stack else None

    def follow(self, name: str, argument: Any) -> None:
        """Follows a command."""
        if name in _PLAIN:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in self.commands:
            self.commands[name](argument)
        elif name not in _IGNORED:
            raise ValueError(f"it has the command {name}, which no weights need")

    def since_mark(self) -> list[Any]:
        """Returns what was put on the stack since the last mark, which goes as well."""
        place = max(place for place, value in enumerate(self.stack) if value is _MARK)
        found = self.stack[place + 1 :]
        del self.stack[place:]
        return found

    def last(self, count: int) -> tuple[Any, ...]:
        """Returns the last values of the stack, which go."""
        if count > len(self.stack):
            raise ValueError("it takes what is not there")
        found = tuple(self.stack[-count:])
        del self.stack[-count:]
        return found

    def do_mark(self, _: Any) -> None:
        self.stack.append(_MARK)

    def do_pop_mark(self, _: Any) -> None:
        self.since_mark()

    def do_pop(self, _: Any) -> None:
        self.stack.pop()

    def do_empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def do_empty_list(self, _: Any) -> None:
        self.stack.append([])

    def do_empty_tuple(self, _: Any) -> None:
        self.stack.append(())

    def do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self.since_mark()))

    def do_tuple1(self, _: Any) -> None:
        self.stack.append(self.last(1))

    def do_tuple2(self, _: Any) -> None:
        self.stack.append(self.last(2))

    def do_tuple3(self, _: Any) -> None:
        self.stack.append(self.last(3))

    def do_list(self, _: Any) -> None:
        self.stack.append(self.since_mark())

    def do_empty_set(self, _: Any) -> None:
        self.stack.append(Object(Name("builtins", "set"), ()))

    def do_frozenset(self, _: Any) -> None:
        self.stack.append(Object(Name("builtins", "frozenset"), tuple(self.since_mark())))

    def do_dict(self, _: Any) -> None:
        found = self.since_mark()
        self.stack.append(dict(zip(found[::2], found[1::2], strict=True)))

    def do_append(self, _: Any) -> None:
        self.extend(self.last(1))

    def do_appends(self, _: Any) -> None:
        self.extend(self.since_mark())

    do_additems = do_appends

    def extend(self, values: Iterable[Any]) -> None:
        """Puts values into the list on the stack; into what would be another thing, none."""
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def do_setitem(self, _: Any) -> None:
        key, value = self.last(2)
        self.put({key: value})

    def do_setitems(self, _: Any) -> None:
        found = self.since_mark()
        self.put(dict(zip(found[::2], found[1::2], strict=True)))

    def put(self, items: dict[Any, Any]) -> None:
        """Puts pairs into the dictionary, or what would be one, on the stack."""
        into = self.stack[-1]
        (into.pairs if isinstance(into, Object) else into).update(items)

    def do_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def do_binput(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    do_long_binput = do_put = do_binput

    def do_binget(self, place: int) -> None:
        self.stack.append(self.memo[place])

    do_long_binget = do_get = do_binget

    def do_global(self, name: str) -> None:
        self.stack.append(Name(*name.split(" ", 1)))

    def do_stack_global(self, _: Any) -> None:
        module, name = self.last(2)
        self.stack.append(Name(str(module), str(name)))

    def do_reduce(self, _: Any) -> None:
        made_by, given = self.last(2)
        if made_by in _DICTIONARIES:
            self.stack.append(dict(*given))
        else:
            self.stack.append(Object(made_by, given))

    do_newobj = do_reduce

    def do_newobj_ex(self, _: Any) -> None:
        made_by, given, _named = self.last(3)
        self.stack.append(Object(made_by, given))

    def do_build(self, _: Any) -> None:
        (state,) = self.last(1)
        if isinstance(self.stack[-1], Object):  # a state dict's own state says nothing
            self.stack[-1].state = state

    def do_binpersid(self, _: Any) -> None:
        (where,) = self.last(1)
        self.stack.append(Object(None, where))
