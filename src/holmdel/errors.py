"""The one exception for a mistake of the user's."""

_LONGEST = 1_200  # characters of a sentence; what a file gave may be of any length


class UserError(Exception):
    """A sentence for the user: what was given, what was expected, what to do.

    The command line prints it and exits with 2; the server answers 400 with the same sentence. It
    is one line, whatever was given, and the middle of one that is too long is left out.
    """

    def __str__(self) -> str:
        text = " ".join(super().__str__().splitlines())
        if len(text) <= _LONGEST:
            return text
        return f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def quoted(text: str) -> str:
    """Returns a text in quotes for a sentence, its backslashes as they were typed.

    >>> len(quoted(chr(92) + "d{5}"))
    7
    """
    return repr(text).replace("\\\\", "\\")
