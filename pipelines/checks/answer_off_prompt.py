"""Answer off prompt: an answer that is closer to other rows' questions than to its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._turns import answer_turns

if TYPE_CHECKING:
    import numpy as np

_FEWEST_RECORDS = 100
_FEWEST_CHARACTERS = 40
_REFERENCE = 1000
"""Other rows to compare with, drawn at random once and for all."""
_BLOCK = 8192
_FLAGGED = 0.2
_MOST_FLAGGED = 0.1
"""Share of the rows beyond the threshold above which the encoder evidently cannot tell which answer belongs to which question."""


@check(
    title="Answers that may belong to another question",
    unit="share of the rows that fit better",
    group="meaning",
    severity="info",
    flag_above=_FLAGGED,
    scope="set",
    needs=("embeddings",),
)
def answer_off_prompt(features: SetFeatures) -> Measurements:
    """How many other rows fit better: the share of other questions nearer to this answer, or of other answers nearer to this question.

    A model that learns from answers to other questions learns to make things up. Read both, and correct the answer or drop the row;
    several in a row are a sign that two columns slipped against each other.

    The smaller of the two shares is the value: about 0 where question and answer belong together, about one half in a random pair. With
    5 % of the answers of public sets swapped, 7 in 10 swapped ones are flagged; of the flagged rows 9 in 10 are such in school maths and
    medical questions, 6 in 10 in mixed instructions and code. Without a swap 0.4 to 2 % of the rows are flagged: answers to open tasks,
    such as "Write a slogan", that share no subject with the task. Not measured for answers of fewer than 40 characters, in sets of fewer
    than 100 rows, and where more than 10 % of the rows would be flagged, because the encoder then cannot tell, as in Chinese.
    """
    import numpy as np
    import pyarrow.compute as pc

    count = len(features.ids)
    values: list[float | None] = [None] * count
    evidence: list[tuple[Evidence, ...]] = [()] * count
    lengths = np.asarray(pc.fill_null(pc.utf8_length(features.column("answer")), 0))
    asked = np.asarray(pc.match_substring_regex(pc.fill_null(features.column("prompt"), ""), r"\S"))
    rows = np.flatnonzero((lengths >= _FEWEST_CHARACTERS) & asked)
    if len(rows) < _FEWEST_RECORDS:
        return Measurements(values, evidence)
    shares = misfits(features.embeddings[rows], features.answer_embeddings[rows])
    if (shares > _FLAGGED).mean() > _MOST_FLAGGED:
        return Measurements(values, evidence)
    turns = answer_turns(features.column("messages"), features.column("chosen"))
    for row, share in zip(rows.tolist(), shares.tolist(), strict=True):
        values[row] = share
        if share > _FLAGGED / 2:
            note = f"{100 * share:.0f} % of the other questions and answers fit better than this question and this answer"
            evidence[row] = (Evidence(int(turns[row]), note=note),)
    return Measurements(values, evidence)


def misfits(prompts: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Per row, the smaller of two shares: other prompts nearer to its answer, and other answers nearer to its prompt."""
    import numpy as np

    drawn = np.random.default_rng(0).permutation(len(prompts))[:_REFERENCE]
    shares = np.empty(len(prompts))
    for start in range(0, len(prompts), _BLOCK):
        asked, said = prompts[start : start + _BLOCK], answers[start : start + _BLOCK]
        own = (asked * said).sum(axis=1, keepdims=True) + 1e-5
        by_prompt, by_answer = ((one @ other[drawn].T > own).mean(axis=1) for one, other in ((said, prompts), (asked, answers)))
        shares[start : start + _BLOCK] = np.minimum(by_prompt, by_answer)
    return shares
