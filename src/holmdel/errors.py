"""The one exception for a mistake of the user's."""


class UserError(Exception):
    """A sentence for the user: what was given, what was expected, what to do.

    The command line prints it and exits with 2; the server answers 400 with the same sentence.
    """
