"""Refusal: an answer that declines instead of answering."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._refusals import CUES, LANGUAGES, OPENING, find_refusal
from pipelines.checks._turns import Findings, turns_of, turns_where


@check(
    title="Answers that refuse",
    unit="answers",
    group="content",
    flag_above=0,
    languages=LANGUAGES,
    version=2,
)
def refusal(batch: Batch) -> Measurements:
    """Number of answers that begin by declining: "I'm sorry, but I can't …", "As an AI language model, I cannot …", "我无法提供…".

    A few hundred of them teach a model to refuse harmless questions. Keep those you want, write a real answer for the others, or drop
    the row. Looks at the first 400 characters, also of a text inside JSON; "we cannot restore backups older than 30 days" is a fact,
    not a refusal.
    """
    import pyarrow.compute as pc

    found = Findings(len(batch))
    turns = turns_of(batch, ["assistant"])
    opening = pc.utf8_slice_codeunits(turns.column("content"), 0, OPENING)
    for turn in turns_where(turns, pc.match_substring_regex(opening, CUES)):
        if span := find_refusal(turn.content):
            found.add(turn.record, Evidence(turn.turn, *span, note="declines"))
    return found.measurements()
