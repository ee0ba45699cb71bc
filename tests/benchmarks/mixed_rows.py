"""Mixed rows: a file of any number of different conversations with the texts, lengths and faults of real data sets.

Each row is a real one of ../shared/datasets whose sentences are exchanged for others of the same file and whose words are partly changed,
so that rows do not repeat one another; generated sentences stand in where that folder is absent. Rows of short labels (banking77) are
taken at a quarter of their share. 2 rows in 100 are copies of an earlier row in capitals and 3 in 100 copies with one word in twenty changed.
"""

from __future__ import annotations

import functools
import json
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.records import Message, Record
from pipelines.sources.ingest import import_source
from pipelines.store import query
from pipelines.store.project import Project
from pipelines.store.tables import row_to_record

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"
COPIES, NEAR_COPIES = 0.02, 0.03
_PIECE = re.compile(r"[^\n.!?。！？]+[\n.!?。！？]*\s*|[\n.!?。！？\s]+")
_FINDS = (
    "I'm sorry, but I can't help with that.", "Write to ann@firm.org.", "Call (415) 555-0182.", "Dear [Your Name],", "FranÃ§oise", "<br>",
    '{"a": 1}', "As an AI language model, I cannot do that.", "password: kT9!vLq2#x", "This one ends with the",
)  # fmt: skip


def write_mixed(path: Path, rows: int, *, seed: int = 0) -> None:
    """Writes JSON lines with `messages` and, for tools that read one column, `text`: all the turns, a blank line between."""
    with path.open("w", encoding="utf-8") as file:
        for record in mixed_records(rows, seed=seed):
            row = {"messages": [_turn(m) for m in record.messages], "text": "\n\n".join(m.content for m in record.messages)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def mixed_records(rows: int, *, seed: int = 0) -> Iterator[Record]:
    """The rows, the same for the same seed."""
    choose = random.Random(seed)
    files = _shared_files() if SHARED.is_dir() else {"generated": list(generated_records(2_000))}
    pools = {name: _pool(records) for name, records in files.items()}
    weights = [len(records) * (0.25 if name.startswith("banking77") else 1) for name, records in files.items()]
    recent: list[Record] = []
    for name in choose.choices(list(files), weights, k=rows):
        lot = choose.random()
        if recent and lot < COPIES:
            yield _changed(choose.choice(recent), str.upper)
        elif recent and lot < COPIES + NEAR_COPIES:
            yield _changed(choose.choice(recent), functools.partial(_reworded, words=pools[name][1], share=0.05, choose=choose))
        else:
            record = choose.choice(files[name])
            sentences, words = pools[name]
            made = _changed(record, functools.partial(_recombined, sentences=sentences, words=words, choose=choose))
            recent = [*recent[-999:], made]
            yield made


def generated_records(count: int) -> Iterator[Record]:
    """Sentences of random words, one row in twenty with something that the checks look for."""
    choose = random.Random(0)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=choose.randint(2, 9))) for _ in range(5_000)]
    for i in range(count):
        sentences = [" ".join(choose.choices(words, k=choose.randint(6, 18))).capitalize() + "." for _ in range(choose.randint(2, 9))]
        if i % 20 == 0:
            sentences.insert(choose.randrange(len(sentences)), choose.choice(_FINDS))
        yield Record((Message("user", sentences[0]), Message("assistant", " ".join(sentences))))


def _shared_files() -> dict[str, list[Record]]:
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(Path(folder) / "project")
        import_source(project, SHARED)
        with query.connect(project) as connection:
            file_by_id = dict(connection.execute("SELECT record, min(file) FROM source_rows GROUP BY record").fetchall())
        rows = [row for part in project.record_parts for row in pq.read_table(part).to_pylist()]
    files: dict[str, list[Record]] = {}
    for row in rows:
        files.setdefault(file_by_id[row["id"]], []).append(Record(row_to_record(row).conversation))
    return dict(sorted(files.items()))


def _pool(records: list[Record]) -> tuple[list[str], list[str]]:
    """Sentences and words of a file."""
    pieces = [piece for record in records for m in record.messages if not _is_fixed(m) for piece in _PIECE.findall(m.content)]
    words = [word for piece in pieces[:20_000] for word in piece.split() if word.isalpha()]
    return [piece for piece in pieces if 15 <= len(piece) <= 400] or pieces, words or ["word"]


def _is_fixed(message: Message) -> bool:
    """Whether an exchanged sentence would break the message: JSON, and answers that are a label or a number."""
    is_label = len(message.content) < 30 and message.role != "user"
    return is_label or message.content.lstrip()[:1] in ("{", "[") or message.role == "tool"


def _changed(record: Record, change) -> Record:
    return Record(
        tuple(
            m if _is_fixed(m) or m.role == "system" else Message(m.role, change(m.content), m.name, m.tool_calls, m.tool_call_id)
            for m in record.messages
        )
    )


def _recombined(text: str, sentences: list[str], words: list[str], choose: random.Random) -> str:
    pieces = [choose.choice(sentences) if len(piece) >= 15 and choose.random() < 0.7 else piece for piece in _PIECE.findall(text)]
    if len(text) < 60:  # one short sentence would come back again and again
        pieces.append(" " + choose.choice(sentences))
    return _reworded("".join(pieces), words, 0.12, choose)


def _reworded(text: str, words: list[str], share: float, choose: random.Random) -> str:
    """The text with a share of its words replaced, at least one."""
    parts = text.split(" ")
    for _ in range(max(int(share * len(parts)), 1)):
        parts[choose.randrange(len(parts))] = choose.choice(words)
    return " ".join(parts)


def _turn(message: Message) -> dict[str, object]:
    turn = message.to_json()
    if message.tool_calls is not None:
        turn["tool_calls"] = json.loads(message.tool_calls)
    return turn
