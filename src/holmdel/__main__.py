"""The command `holmdel`."""

from holmdel.cli.loading import loading


def main() -> None:
    """Runs the command line."""
    with loading():
        from holmdel.cli.app import run

    run()


if __name__ == "__main__":
    main()
