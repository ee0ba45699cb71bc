"""Rendering: a conversation that a chat template has turned into one text, read back into its turns."""

from __future__ import annotations

from pipelines.sources.formats.rendering.dialect import Dialect, Rendered, without_start
from pipelines.sources.formats.rendering.instruct import INSTRUCT
from pipelines.sources.formats.rendering.labelled import ALPACA_PROMPT, GUANACO, TRANSCRIPT, VICUNA
from pipelines.sources.formats.rendering.marked import MARKED

DIALECTS: tuple[Dialect, ...] = (*MARKED, INSTRUCT, ALPACA_PROMPT, GUANACO, VICUNA, TRANSCRIPT)
"""Every way of writing a conversation that is read back. A text is of the first whose beginning it has."""


def dialect_of(text: str) -> Dialect | None:
    """The dialect a text is written in; None for a plain text, also for one that only mentions a marker."""
    if not any(hint in text for hint in _HINTS):
        return None
    bare = without_start(text)
    return next((dialect for dialect in DIALECTS if dialect.recognises(bare)), None)


def read_rendered(text: str, dialect: Dialect, *, may_end_open: bool = False) -> Rendered:
    """The turns of a text written in a dialect. Raises Unfit where its markers do not match.

    `may_end_open` says that the text is a prompt: its last turn need not be closed, because the answer stands elsewhere.
    """
    return dialect.read(without_start(text), may_end_open)


_HINTS = ("<", "[", "###", ":")
"""One of these is in every rendering: most plain texts are told apart by looking for them."""

__all__ = ["DIALECTS", "Dialect", "Rendered", "dialect_of", "read_rendered"]
