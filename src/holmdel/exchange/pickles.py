"""Pickles looked at as data: their arrays and names are taken out, and nothing is ever run.

A pickle is a small program, and `pickle.load` imports and calls what it names. Here only those of
its commands are followed that build plain values; what it would import is a `Name`, what it would
call an `Object` that says so. No size in it is believed: every byte comes from the file. A few
bytes can put a value twice into itself, and so on: whatever goes through values is bounded.
"""

import os
import pickletools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

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
_PLAIN_KEYS = (str, bytes, int, float, type(None), Name, Object)
MOST_BITS = 1024  # of a whole number; the state of a random number generator has 128


def read_pickle(path: object, content: bytes | BinaryIO) -> Any:
    """Returns what a pickle holds: numbers, texts, lists, dictionaries, `Name` and `Object`.

    A reference to what is kept outside of the pickle is an `Object` made by None.

    Args:
        path: what sentences call the file.
        content: the pickle, or a file where it begins, which is then behind it.

    Raises:
        UserError: if it is damaged.
    """
    size = len(content) if isinstance(content, bytes) else os.fstat(content.fileno()).st_size
    machine = _Machine(size)
    try:
        for opcode, argument, _ in pickletools.genops(content):
            machine.follow(opcode.name, argument)
    except Exception as error:  # of damage, it makes almost anything
        raise damaged(path, f"as a pickle: {error}") from None
    return machine.result


_PLAIN = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "FLOAT", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("BINSTRING", "SHORT_BINSTRING", "STRING"),
}
_IGNORED = {"PROTO", "FRAME", "STOP"}
_CONSTANTS: Mapping[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class _Machine:
    """The stack of a pickle, and what it has put aside.

    Args:
        size: of the pickle; as many pairs at most are copied from one dictionary to another.
    """

    def __init__(self, size: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []  # how much was on the stack at each
        self.memo: dict[int, Any] = {}
        self.left = size
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
            if isinstance(argument, int) and argument.bit_length() > MOST_BITS:
                raise ValueError(f"a number of {argument.bit_length()} bits")
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in self.commands:
            self.commands[name](argument)
        elif name not in _IGNORED:
            raise ValueError(f"it has the command {name}, which no weights need")

    def since_mark(self) -> list[Any]:
        """Returns what was put on the stack since the last mark, which goes as well."""
        place = self.marks.pop()
        found = self.stack[place:]
        del self.stack[place:]
        return found

    def last(self, count: int) -> tuple[Any, ...]:
        """Returns the last values of the stack since the last mark, which go."""
        if count > len(self.stack) - (self.marks[-1] if self.marks else 0):
            raise ValueError("it takes what is not there")
        found = tuple(self.stack[-count:])
        del self.stack[-count:]
        return found

    def do_mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def do_pop_mark(self, _: Any) -> None:
        self.since_mark()

    def do_pop(self, _: Any) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.last(1)

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
        self.stack.append({})
        self.put(found[::2], found[1::2])

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
        self.put([key], [value])

    def do_setitems(self, _: Any) -> None:
        found = self.since_mark()
        self.put(found[::2], found[1::2])

    def put(self, keys: Iterable[Any], values: Iterable[Any]) -> None:
        """Puts pairs into the dictionary, or what would be one, on the stack."""
        into = self.stack[-1].pairs if isinstance(self.stack[-1], Object) else self.stack[-1]
        for key, value in zip(keys, values, strict=True):
            # Python goes through all of a tuple for its hash, and of those in it.
            if not all(isinstance(k, _PLAIN_KEYS) for k in (key if type(key) is tuple else [key])):
                raise ValueError("a name that is none")
            into[key] = value

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
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is none")
        self.stack.append(Name(module, name))

    def do_reduce(self, _: Any) -> None:
        made_by, given = self.last(2)
        if isinstance(made_by, Name) and made_by in _DICTIONARIES:
            self.copy(*given)
            return
        if _makes_room(made_by, given):
            raise ValueError(f"{made_by} makes numbers that are not in the file")
        self.stack.append(Object(made_by, given))

    def copy(self, pairs: Any = ()) -> None:
        """Puts a dictionary of pairs on the stack."""
        self.left -= len(pairs)
        if self.left < 0:
            raise ValueError("dictionaries that are copied again and again")
        self.stack.append({})
        listed = list(pairs.items() if isinstance(pairs, dict) else pairs)
        self.put((key for key, _ in listed), (value for _, value in listed))

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


def _makes_room(made_by: object, given: object) -> bool:
    """Tells whether what would be called makes as many numbers as it is told, of no content.

    `torch.load` calls these, though it calls little else.
    """
    if not isinstance(made_by, Name) or not isinstance(given, tuple):
        return False
    if made_by.name == "_rebuild_from_type_v2":  # calls the first with what comes third
        return len(given) > 2 and _makes_room(given[0], given[2])
    made_of_size = made_by.name == "bytearray" or made_by.name.endswith("Tensor")
    return made_of_size and any(isinstance(one, int | tuple) for one in given)
