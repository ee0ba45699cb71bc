"""Bulk action: one verdict given to many records at once. It is a batch of decisions and can be taken back as one."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.store.database import decisions as events
from pipelines.store.project import Project


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One batch of decisions."""

    batch: str
    verdict: str
    reason: str
    decided_by: str
    at: str
    records: int
    """How many decisions it wrote."""
    standing: int
    """How many of them have not been undone."""


def bulk_actions(project: Project, limit: int | None = None) -> list[BulkAction]:
    """The batches that still stand, wholly or in part, newest first."""
    undone = sa.select(events.c.undoes).where(events.c.undoes.is_not(None))
    standing = sa.func.sum(sa.case((events.c.seq.in_(undone), 0), else_=1)).label("standing")
    select = (
        sa.select(
            events.c.batch, sa.func.min(events.c.verdict), sa.func.min(events.c.reason), sa.func.min(events.c.decided_by),
            sa.func.min(events.c.at), sa.func.count(), standing,
        )
        .where(events.c.batch.is_not(None), events.c.verdict != "undo")
        .group_by(events.c.batch)
        .having(standing > 0)
        .order_by(sa.func.max(events.c.seq).desc())
        .limit(limit)
    )  # fmt: skip
    with project.database.read() as connection:
        return [BulkAction(*row) for row in connection.execute(select)]
