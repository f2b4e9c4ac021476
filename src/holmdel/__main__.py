"""The command `holmdel`."""


def main() -> None:
    """Runs the command line."""
    from holmdel.cli.app import run

    run()


if __name__ == "__main__":
    main()
