"""Difficulty check: whether a base model finds an answer easier to write for knowing the question. A job measures it, on a sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipelines import models
from pipelines.checks import Batch, Check, Measurements
from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.store.project import Project

UNHELPFUL_QUESTION = "unhelpful_question"
DIFFICULTY_TITLE = "Answers the question does not help to write"
_SETTING = "difficulty"
_DESCRIPTION = """How hard the answer is for the base model with its question, against how hard it is without (IFD; 0.5: half as hard).

Above 1 the question makes the answer harder to write, often because the two do not belong together. Read them, and mend or drop the row.

Below 1 the higher the value, the more the row asks of the model; rows near 0 it could do before. Both are the mean loss per token of the
answer, as in Li et al. 2024 (From Quantity to Quality: Self-Guided Data Selection for Instruction Tuning), section 2. Only the last answer
is looked at, and only in a sample of the rows.
"""


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What difficulty is measured with."""

    base: str = models.BASE_MODEL
    """Short name of the shipped model, a folder, or a hub id."""
    rows: int = 300
    """How many rows, drawn by chance; those with the lowest ids, which are hashes."""

    def __post_init__(self) -> None:
        """Raises WorkbenchError when no row would be measured."""
        if self.rows < 1:
            raise WorkbenchError("The number of rows to measure must be 1 or more.")

    @property
    def mark(self) -> str:
        """Tells the measurements of one model from those of another."""
        return content_hash(self.base)[:12]


def difficulty_of(project: Project) -> Difficulty | None:
    """What the difficulty of a project's rows is measured with; None while nobody has asked for it."""
    stored = project.setting(_SETTING)
    return Difficulty(**stored) if stored else None


def save_difficulty(project: Project, wanted: Difficulty) -> None:
    """Makes this what difficulty is measured with."""
    project.set_setting(_SETTING, asdict(wanted))


def difficulty_checks(project: Project) -> dict[str, Check]:
    """The check, where somebody has asked for it. A scan leaves it out: the job `difficulty` measures it."""
    wanted = difficulty_of(project)
    if wanted is None:
        return {}
    return {
        UNHELPFUL_QUESTION: Check(
            name=UNHELPFUL_QUESTION, title=DIFFICULTY_TITLE, description=_DESCRIPTION, unit="times as hard", threshold=1.0,
            direction="above", severity="info", group="meaning",
            measure=_not_measured, folder=f"{UNHELPFUL_QUESTION}@1-{wanted.mark}", on_request=True,
        )
    }  # fmt: skip


def _not_measured(batch: Batch) -> Measurements:
    """Of a row as a fix leaves it nothing is known until the job runs again."""
    return Measurements([None] * len(batch))
