"""Token checks: how long each row is for the model a project will train, what a limit would cut off, and whether anything is learned."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import models
from pipelines.checks import Batch, Check, Evidence, Measurements
from pipelines.errors import WorkbenchError
from pipelines.records import Message, content_hash
from pipelines.store.project import Project

if TYPE_CHECKING:
    from pipelines.records import Record
    from pipelines.tokens.example import Example, Refused
    from pipelines.tokens.template import ChatFormat

OVER_LENGTH, NOTHING_LEARNED = "over_length", "nothing_learned"
TOKEN_TITLES = {OVER_LENGTH: "Rows longer than the model will read", NOTHING_LEARNED: "Rows the model can learn nothing from"}
_SETTING = "reader"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")

_OVER_LENGTH = """Length of the row in tokens (words and pieces of words), with the marks the model's chat template puts around each turn.

A longer row is left out of training or loses its end, and then the model learns not to finish. Shorten it, split it, or train with a higher
limit, which takes more memory. Marked is what would be cut off.
"""
_NOTHING_LEARNED = """Number of tokens (words and pieces of words) in the row that training learns to write: those of its answers.

Such a row costs time and teaches nothing. Mend it, or drop it. Answers that are marked as not wanted are not counted: leaving them out is
what their mark asks for.
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """The model that rows are measured for."""

    base: str = models.BASE_MODEL
    """Short name of the shipped model, a folder, or a hub id."""
    max_length: int = 1024
    """The most tokens of a row that it reads in training."""

    def __post_init__(self) -> None:
        """Raises WorkbenchError on a limit nothing fits in."""
        if self.max_length < 1:
            raise WorkbenchError("The most tokens of a row must be 1 or more.")


def reader_of(project: Project) -> Reader | None:
    """The model a project's rows are measured for; None while nobody has named one."""
    stored = project.setting(_SETTING)
    return Reader(**stored) if stored else None


def save_reader(project: Project, reader: Reader) -> None:
    """Makes this the model that rows are measured for. Measurements for another one are deleted: they can be made again.

    Raises WorkbenchError when its tokenizer cannot be loaded.
    """
    _chat(reader.base, needs_tools=False)
    project.set_setting(_SETTING, asdict(reader))
    kept = {check.key for check in token_checks(project).values()}
    for name in TOKEN_TITLES:
        for folder in project.measurements_folder.glob(f"{name}@*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def token_checks(project: Project) -> dict[str, Check]:
    """The checks for the model the project names; none where it names none. They run when they are asked for by name."""
    reader = reader_of(project)
    if reader is None:
        return {}
    mark = content_hash([reader.base, *_stamps(reader.base)])[:12]
    return {
        OVER_LENGTH: Check(
            name=OVER_LENGTH, title=TOKEN_TITLES[OVER_LENGTH], description=_OVER_LENGTH, unit="tokens", threshold=float(reader.max_length),
            direction="above", severity="warning", group="length", measure=functools.partial(_lengths, reader),
            folder=f"{OVER_LENGTH}@1-{mark}-{reader.max_length}", on_request=True,
        ),
        NOTHING_LEARNED: Check(
            name=NOTHING_LEARNED, title=TOKEN_TITLES[NOTHING_LEARNED], description=_NOTHING_LEARNED, unit="tokens learned", threshold=1.0,
            direction="below", severity="warning", group="structure", measure=functools.partial(_learned, reader.base),
            folder=f"{NOTHING_LEARNED}@1-{mark}", on_request=True,
        ),
    }  # fmt: skip


def _stamps(base: str) -> list[str]:
    """Of a folder, what changes when its tokenizer or template does."""
    folder = Path(base).expanduser()
    found = [folder / name for name in _TOKENIZER_FILES] if base != models.BASE_MODEL and folder.is_dir() else []
    return [f"{file.name}:{file.stat().st_mtime_ns}" for file in found if file.is_file()]


_own = threading.local()


def _chat(base: str, *, needs_tools: bool) -> ChatFormat:
    """One for each thread: a tokenizer that another thread is using refuses to work."""
    from pipelines.tokens.template import load_chat_format

    kept: dict[tuple[str, bool], ChatFormat] = _own.__dict__.setdefault("formats", {})
    if (base, needs_tools) not in kept:
        kept[base, needs_tools] = load_chat_format(base, needs_tools=needs_tools)
    return kept[base, needs_tools]


Outcome = tuple["Record", "Example | Refused"]


def _outcomes(base: str, batch: Batch) -> list[Outcome]:
    return batch.shared(("tokens", base), lambda: _tokenised(base, batch))


def _tokenised(base: str, batch: Batch) -> list[Outcome]:
    from pipelines.store.tables import row_to_record
    from pipelines.tokens.example import tokenise

    rows = [(row["id"], row_to_record(row)) for row in batch.table.to_pylist()]
    chat = _chat(base, needs_tools=_holds_tools(batch))
    return list(zip((record for _, record in rows), tokenise(rows, chat), strict=True))


def _holds_tools(batch: Batch) -> bool:
    import pyarrow.compute as pc

    roles, calls = batch.turns.column("role"), batch.turns.column("tool_calls")
    if batch.column("tools").null_count < len(batch) or calls.null_count < len(calls):
        return True
    return bool(pc.any(pc.equal(roles, "tool"), min_count=0).as_py())


def _lengths(reader: Reader, batch: Batch) -> Measurements:
    from pipelines.tokens.example import Example

    values: list[float | None] = []
    evidence: list[Sequence[Evidence]] = []
    outcomes = _outcomes(reader.base, batch)
    chat = _chat(reader.base, needs_tools=_holds_tools(batch))
    for record, outcome in outcomes:
        if isinstance(outcome, Example):
            values.append(float(outcome.tokens))
            evidence.append([_cut(outcome, record.conversation, reader, chat)] if outcome.tokens > reader.max_length else [])
        else:
            values.append(None)
            evidence.append([])
    return Measurements(values, evidence)


def _cut(example: Example, turns: Sequence[Message], reader: Reader, chat: ChatFormat) -> Evidence:
    """Where the row would be cut, and what of its answers goes with it."""
    from pipelines.tokens.example import IGNORED

    learned = example.labels[1:] != IGNORED
    lost = int(learned[reader.max_length - 1 :].sum())
    gone = "all of its answers" if lost == int(learned.sum()) else f"{lost / learned.sum():.0%} of its answers" if lost else "no answer"
    note = f"The model reads {reader.max_length:,} tokens; this row has {example.tokens:,}. Cut there, it loses {gone}."
    offsets = chat.tokenizer(example.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    cut, at = offsets[reader.max_length][0], 0
    for number, turn in enumerate(turns):
        said = turn.content.strip()
        found = example.text.find(said, at) if said else -1
        if found < 0:
            continue
        at = found + len(said)
        if cut < at:
            before = len(turn.content) - len(turn.content.lstrip())
            return Evidence(turn=number, start=before + max(cut - found, 0), end=before + len(said), note=note)
    return Evidence(note=note)


def _learned(base: str, batch: Batch) -> Measurements:
    from pipelines.tokens.example import NO_LABEL, UNWANTED, Refused

    values: list[float | None] = []
    evidence: list[Sequence[Evidence]] = []
    for _, outcome in _outcomes(base, batch):
        is_refused = isinstance(outcome, Refused)
        reason = outcome.reason if isinstance(outcome, Refused) else ""
        values.append(None if reason in (UNWANTED, NO_LABEL) else 0.0 if is_refused else float(outcome.trained_tokens))  # type: ignore[union-attr]
        evidence.append([Evidence(note=f"{reason[0].upper()}{reason[1:]}.")] if is_refused and values[-1] is not None else [])
    return Measurements(values, evidence)
