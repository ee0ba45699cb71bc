"""Review queue: the pages of cards a review session hands out, and how far the queue is. Holds no Streamlit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from pipelines.curation.decisions import connect, log
from pipelines.curation.issue_index import issue_counts
from pipelines.curation.issues import cards
from pipelines.curation.queue import Queue, queue_ids, queue_size
from pipelines.store.project import Project
from workbench.review_session import Message, Written, read_message, write

PAGE = 2000
"""Ids read from the project at once."""
FIRST_CARDS = 12
"""Cards of the first answer, which brings nothing else: a row is on the screen before anything is counted."""
MAX_ANSWER_BYTES = 2_000_000
"""Cards beyond this wait for the next answer; one card is always sent, however long."""
RECENT = 10
REASONS = (
    "Wrong answer",
    "Incomplete",
    "Off topic",
    "Badly written",
    "Out of date",
    "Personal data",
    "Duplicate",
    "Wrong language",
    "Not our tone",
)


@dataclass
class Shelf:
    """The ids of a queue in its order, read page by page. Rows decided since stay where they were, so that no row is passed over."""

    project: Project
    queue: Queue
    ids: list[str] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)
    is_end: bool = False

    def following(self, after: str | None, rows: int) -> list[str]:
        """At most `rows` ids after one; fewer only at the end. From the first one when `after` is None or unknown to the queue."""
        start = 0
        if after is not None:
            while after not in self.place and not self.is_end:
                self._read_page()
            start = self.place[after] + 1 if after in self.place else 0
        while len(self.ids) < start + rows and not self.is_end:
            self._read_page()
        return self.ids[start : start + rows]

    def has_after(self, id: str) -> bool:
        """Whether the queue goes on after an id of `ids`."""
        while self.place[id] + 1 >= len(self.ids) and not self.is_end:
            self._read_page()
        return self.place[id] + 1 < len(self.ids)

    def _read_page(self) -> None:
        # Decided rows leave the queue and the others move up: asking for as many as are known, and a page more, finds
        # every new one wherever it is now.
        found = queue_ids(self.project, self.queue, limit=len(self.ids) + PAGE)
        fresh = [id for id in found if id not in self.place]
        for id in fresh:
            self.place[id] = len(self.ids)
            self.ids.append(id)
        self.is_end = len(found) < len(self.place) - len(fresh) + PAGE or not fresh


class ReviewSession:
    """One reviewer at one queue of one project. Everything in it can be lost: the browser and the project know it all."""

    def __init__(self, project: Project, queue: Queue, *, reviewer: str = "human:local", day_start: datetime | None = None) -> None:
        """`day_start` is the reviewer's midnight, from which "today" is counted; None for midnight in UTC."""
        self.project = project
        self.queue = queue
        self.reviewer = reviewer
        self.day_start = (day_start or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)).astimezone(UTC)
        self.shelf = Shelf(project, queue)
        self.confirmed: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The queue as the browser names it."""
        return urlencode(sorted(self.queue.to_query().items()))

    def answer(self, said: object) -> dict[str, Any]:
        """Writes what was decided and tells the browser what it needs. The same message may come any number of times."""
        message = read_message(said, reviewer=self.reviewer)
        written = self._write(message)
        is_new = message.queue != self.name
        wanted = replace(message, after=None, rows=FIRST_CARDS, recent=False, tally=False, open=None, asked=None) if is_new else message
        return {
            "project": str(self.project.folder),
            "queue": self.name,
            "tab": message.tab,
            "answered": message.turn,
            "asked": wanted.asked,
            "acked": dict(written.seq_by_client),
            "highest": max(written.seq_by_client.values(), default=None),
            "refused": {**(message.refused or {}), **written.refused},
            "facts": self._facts(),
            **self._wanted(wanted, written.trouble),
        }

    def _wanted(self, wanted: Message, trouble: str | None) -> dict[str, Any]:
        """What the browser asked for. When the project cannot be read it gets the reason instead, and asks again."""
        nothing: dict[str, Any] = {"opened": None, "recent": None, "tally": None, "cards": [], "trouble": trouble}
        try:
            return nothing | {
                "opened": next(iter(cards(self.project, [wanted.open])), None) if wanted.open else None,
                "recent": self._recent() if wanted.recent else None,
                "tally": self._tally() if wanted.tally else None,
                **self._cards(wanted),
            }
        except (sa.exc.SQLAlchemyError, duckdb.Error, pa.ArrowException, OSError) as error:
            return nothing | {"trouble": trouble or f"The project's files cannot be read: {str(error).splitlines()[0]}"}

    def _write(self, message: Message) -> Written:
        """As write, but what this session has confirmed before costs no look at the database."""
        fresh = [event for event in message.events if event.decision.client_id not in self.confirmed]
        before = {
            e.decision.client_id: self.confirmed[e.decision.client_id] for e in message.events if e.decision.client_id in self.confirmed
        }
        resolved = [
            replace(e, decision=replace(e.decision, undoes=self.confirmed[e.undoes_client]), undoes_client=None)
            if e.undoes_client in self.confirmed
            else e
            for e in fresh
        ]
        written = write(self.project, resolved)
        self.confirmed |= written.seq_by_client
        return Written({**before, **written.seq_by_client}, written.refused, written.trouble)

    def _cards(self, wanted: Message) -> dict[str, Any]:
        if wanted.rows == 0:
            return {"cards": []}
        if wanted.after is None:
            self.shelf = Shelf(self.project, self.queue)  # a fresh look: rows may have come, or been undone
        found: list[dict[str, Any]] = []
        cursor, size = wanted.after, 0
        while not found:
            ids = self.shelf.following(cursor, wanted.rows)
            if not ids:
                return {"cards": [], "cursor": cursor, "isEnd": True}
            for card in cards(self.project, ids):
                cursor = card["id"]
                if self.queue.state == "undecided" and card["verdict"] is not None:
                    continue  # decided meanwhile, in another tab or by a colleague
                size += len(json.dumps(card))
                found.append(card)
                if size > MAX_ANSWER_BYTES:
                    break
            else:
                cursor = ids[-1]
        return {"cards": found, "cursor": cursor, "isEnd": cursor is not None and not self.shelf.has_after(cursor)}

    def _facts(self) -> dict[str, Any]:
        return {"state": self.queue.state, "check": self.queue.check, "search": self.queue.search, "reasons": list(REASONS)}

    def _tally(self) -> dict[str, Any]:
        """How many rows the queue has and what is left, what was decided today, and where to go on: None while rows are left."""
        is_undecided = self.queue.state == "undecided"
        left = queue_size(self.project, self.queue) if is_undecided else None
        total = queue_size(self.project, replace(self.queue, state="all") if is_undecided else self.queue)
        with connect(self.project) as connection:
            today = connection.execute(
                'SELECT count(*) FROM verdicts WHERE decided_by = ? AND "at" >= ?',
                [self.reviewer, self.day_start.isoformat(timespec="milliseconds")],
            ).fetchone()
        return {"left": left, "total": total, "today": today[0] if today else 0, "next": None if left else self._next()}

    def _next(self) -> list[dict[str, Any]]:
        """The checks with most undecided rows, severest first, other than this one."""
        counts = issue_counts(self.project)
        rows = [] if counts.empty else counts[(counts["undecided"] > 0) & (counts["check"] != self.queue.check)].head(3).to_dict("records")
        return [{"title": row["title"], "rows": int(row["undecided"]), "query": Queue(check=row["check"]).to_query()} for row in rows]

    def _recent(self) -> list[dict[str, Any]]:
        """The reviewer's last decisions that stand, oldest first."""
        events = log(self.project, limit=RECENT * 12)
        undone = {e["undoes"] for e in events if e["undoes"] is not None}
        mine = [
            e
            for e in events
            if e["decided_by"] == self.reviewer
            and e["batch"] is None
            and e["verdict"] not in ("undo", "comment")
            and e["seq"] not in undone
        ][-RECENT:]
        title_by_record = {card["id"]: _title(card) for card in cards(self.project, [e["record"] for e in mine])}
        return [
            {
                "seq": e["seq"],
                "client_id": e["client_id"],
                "record": e["record"],
                "verdict": e["verdict"],
                "reason": e["reason"],
                "title": title_by_record.get(e["record"], ""),
            }
            for e in mine
        ]


def _title(card: Mapping[str, Any]) -> str:
    turns: Sequence[Mapping[str, Any]] = [*card["messages"], *card["chosen"]]
    asked = next((m["content"] for m in turns if m["role"] == "user"), turns[0]["content"] if turns else "")
    return " ".join(str(asked)[:400].split())[:80]
