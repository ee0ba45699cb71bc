"""Errors: sentences that tell a person what is wrong, where, and what to do next."""


class WorkbenchError(Exception):
    """Something the user can act on.

    The message names what, where and the next step; the command line prints it and exits with status 1,
    the app shows it beside the control that caused it.
    """


class Cancelled(Exception):
    """A job noticed that its user asked it to stop. What it had finished stays on disk."""
