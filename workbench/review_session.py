"""Review session: what the review card and the project tell each other. Holds no Streamlit; DESIGN.md section 7 has the protocol.

The card says, again and again until it is answered: these decisions are not confirmed yet, and this is what I need. All of it is
state, none of it is an event, so that nothing is lost when messages are merged, repeated, or meet a server that has just started.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipelines.curation.decisions import VERDICTS, Decision, decide
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project

_CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_RECORD_ID = re.compile(r"[0-9a-f]{32}")
MAX_ROWS = 100
"""Cards the browser may ask for at once."""


@dataclass(frozen=True, slots=True)
class Event:
    """A decision as the browser sends it: an undo may name what it takes back by the browser's own id."""

    decision: Decision
    undoes_client: str | None = None
    """client_id of the decision an undo takes back; used while the browser does not know its seq."""


@dataclass(frozen=True, slots=True)
class Message:
    """All the browser said last. Saying it twice changes nothing."""

    turn: int = 0
    """Number of the message; the answer repeats it."""
    tab: str = ""
    events: tuple[Event, ...] = ()
    """Decisions the browser has no confirmation of, oldest first."""
    refused: Mapping[str, str] | None = None
    """client_id -> why a decision could not even be read."""
    queue: str | None = None
    """Which queue the request below is about; None before the card knows one."""
    after: str | None = None
    """The id after which more cards are wanted; None for the first ones."""
    rows: int = 0
    """How many cards are wanted."""
    open: str | None = None
    """Id of one record that is wanted besides."""
    recent: bool = False
    tally: bool = False
    asked: str | None = None
    """Name of the request, repeated in the answer."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the decisions of a message."""

    seq_by_client: Mapping[str, int]
    refused: Mapping[str, str]
    """client_id -> a sentence why it was not written. Sending it again would not help."""
    trouble: str | None = None
    """Why nothing more could be written for now. Sending again will help."""


def read_message(said: object, *, reviewer: str) -> Message:
    """What the browser said, with every value checked: it is input from outside. Nonsense is left out, unreadable decisions are refused."""
    if not isinstance(said, Mapping):
        return Message()
    refused: dict[str, str] = {}
    events = []
    listed = said.get("events")
    for given in listed if isinstance(listed, list) else ():
        event = _event(given, reviewer, refused)
        if event:
            events.append(event)
    return Message(
        turn=_whole(said.get("turn")),
        tab=_text(said.get("tab"), 64),
        events=tuple(events),
        refused=refused,
        queue=_text(said.get("queue"), 20_000) if isinstance(said.get("queue"), str) else None,
        after=_record_id(said.get("after")),
        rows=min(_whole(said.get("rows")), MAX_ROWS),
        open=_record_id(said.get("open")),
        recent=said.get("recent") is True,
        tally=said.get("tally") is True,
        asked=_text(said.get("asked"), 40_000) or None,
    )


def _event(given: object, reviewer: str, refused: dict[str, str]) -> Event | None:
    if not isinstance(given, Mapping) or not isinstance(given.get("client_id"), str) or not _CLIENT_ID.fullmatch(given["client_id"]):
        return None  # nothing by which a refusal could be told
    client_id, verdict, record = given["client_id"], given.get("verdict"), _record_id(given.get("record"))
    if verdict not in VERDICTS or record is None:
        refused[client_id] = "A decision arrived damaged: it names no row or no known verdict. Decide the row again."
        return None
    edit = given.get("edit")
    if edit is not None and not _is_messages(edit):
        refused[client_id] = "An edit arrived damaged: every turn needs a role and a text. Edit the row again."
        return None
    undoes = given.get("undoes")
    decision = Decision(
        record=record,
        verdict=verdict,
        reason=_text(given.get("reason"), 10_000),
        edit=[dict(message) for message in edit] if edit is not None else None,
        undoes=undoes if isinstance(undoes, int) and not isinstance(undoes, bool) else None,
        decided_by=reviewer,
        client_id=client_id,
        seconds=_seconds(given.get("seconds")),
    )
    undoes_client = given.get("undoes_client")
    return Event(decision, undoes_client if verdict == "undo" and decision.undoes is None and isinstance(undoes_client, str) else None)


def _is_messages(edit: object) -> bool:
    if not isinstance(edit, Sequence) or isinstance(edit, str) or not edit:
        return False
    return all(isinstance(m, Mapping) and isinstance(m.get("role"), str) and isinstance(m.get("content"), str) for m in edit)


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""


def _record_id(value: object) -> str | None:
    return value if isinstance(value, str) and _RECORD_ID.fullmatch(value) else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0 else None


def write(project: Project, events: Sequence[Event]) -> Written:
    """Writes each decision once, in order. One that cannot be written never holds up the others."""
    seq_by_client: dict[str, int] = {}
    refused: dict[str, str] = {}
    try:
        for group in _groups(events):
            decisions = _resolved(group, seq_by_client, refused)
            _write_group(project, decisions, seq_by_client, refused)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        # The disk is full or the database busy: the browser keeps what is not confirmed and sends it again.
        return Written(seq_by_client, refused, f"The project's database cannot be written: {_first_line(error)}")
    return Written(seq_by_client, refused)


def confirm(project: Project, said: object, *, reviewer: str) -> dict[str, Any]:
    """The answer to a browser that only has decisions to hand in: what was written and what was refused."""
    message = read_message(said, reviewer=reviewer)
    written = write(project, message.events)
    return {
        "project": str(project.folder),
        "tab": message.tab,
        "answered": message.turn,
        "acked": dict(written.seq_by_client),
        "refused": {**(message.refused or {}), **written.refused},
        "trouble": written.trouble,
    }


def _groups(events: Sequence[Event]) -> list[list[Event]]:
    """Runs of events that can be written together: an undo by client id needs what comes before it to have its seq."""
    groups: list[list[Event]] = [[]]
    for event in events:
        if event.undoes_client is not None:
            groups.append([])
        groups[-1].append(event)
    return [group for group in groups if group]


def _resolved(group: Sequence[Event], seq_by_client: Mapping[str, int], refused: dict[str, str]) -> list[Decision]:
    decisions = []
    for event in group:
        decision = event.decision
        if event.undoes_client is not None:
            undoes = seq_by_client.get(event.undoes_client)
            if undoes is None:
                refused[decision.client_id] = "The decision that was to be undone had not been saved, so there was nothing to undo."
                continue
            decision = dataclasses.replace(decision, undoes=undoes)
        decisions.append(decision)
    return decisions


def _write_group(project: Project, decisions: Sequence[Decision], seq_by_client: dict[str, int], refused: dict[str, str]) -> None:
    try:
        seq_by_client.update(decide(project, decisions))
    except WorkbenchError:
        for decision in decisions:  # one of them is wrong: the others are still written
            try:
                seq_by_client.update(decide(project, [decision]))
            except WorkbenchError as error:
                refused[decision.client_id] = str(error)


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__
