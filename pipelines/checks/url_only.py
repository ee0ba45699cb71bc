"""URL only: an answer that is nothing but a link."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import Findings, turns_with

_LINK = r"<?(?:https?://|ftp://|www\.)[^\s<>]+>?"
_ONLY_LINKS = rf"(?i)^\s*(?:(?:[-*]|\d+[.)])?\s*(?:{_LINK}|!?\[[^\[\]]*\]\({_LINK}\))[\s,;]*)+$"


@check(title="Answers that are only a link", unit="answers", group="text", flag_above=0)
def url_only(batch: Batch) -> Measurements:
    """Number of answers that hold one or more links and not a word besides.

    The model cannot read what is behind the link and would learn to make links up. Write the answer out, or drop the row.
    """
    found = Findings(len(batch))
    for turn in turns_with(batch, _ONLY_LINKS, roles=["assistant"]):
        found.add(turn.record, Evidence(turn.turn, 0, len(turn.content), note="only a link"))
    return found.measurements()
