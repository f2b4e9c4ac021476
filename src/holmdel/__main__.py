"""The command `holmdel`."""

import sys

from holmdel.cli import quick
from holmdel.cli.loading import loading


def main() -> None:
    """Runs the command line."""
    quick.run(sys.argv[1:])
    with loading():
        from holmdel.cli.app import run

    run()


if __name__ == "__main__":
    main()
