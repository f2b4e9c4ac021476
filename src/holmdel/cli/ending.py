"""Exit statuses, and how a command ends: what is wrong is said in one sentence."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from holmdel.errors import UserError

DONE, SOME_FAILED, USER_MISTAKE, INTERRUPTED = 0, 1, 2, 130
READING = ("cv2", "platformdirs", "fsspec")  # what holmdel-runtime has for reading alone


@contextlib.contextmanager
def ending(given: list[str]) -> Iterator[None]:
    """Ends the process where what is done here fails: 2 the user's mistake, 130 interrupted.

    Args:
        given: the words of the command line.
    """
    try:
        yield
    except UserError as error:
        complain(str(error))
        sys.exit(USER_MISTAKE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever reads has seen enough; what is left goes nowhere
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    except ModuleNotFoundError as error:  # holmdel-runtime goes without most packages
        complain(_missing(error, given))
        sys.exit(USER_MISTAKE)
    except OSError as error:  # from asking whether there is such a file
        if error.errno != errno.ENAMETOOLONG:
            raise
        complain(f"{str(error.filename)[:40]}... is longer than a file's name may be; check it")
        sys.exit(USER_MISTAKE)


def complain(sentence: str) -> None:
    """Says what is wrong, on standard error."""
    print(f"holmdel: {sentence}", file=sys.stderr)  # noqa: T201


def _missing(error: ModuleNotFoundError, given: list[str]) -> str:
    """Returns what is said of a package that is not installed.

    Raises:
        ModuleNotFoundError: for a part of Holmdel itself, which is our mistake.
    """
    name = (error.name or "").partition(".")[0]
    if name in ("", "holmdel"):
        raise error
    verb = next((word for word in given if not word.startswith("-")), "holmdel")
    advice = "install holmdel, which has all that it needs"
    if name in READING:
        advice = "install it with: pip install 'holmdel-runtime[read]'"
    elif verb in ("predict", "read"):
        advice += ", or give a file that holmdel export wrote, .safetensors or .onnx"
    return f"{verb} needs {name}, which is not installed; {advice}"
