"""Preflight: everything that can be known about a run before it starts. Seconds, no model weights, no torch with the shipped model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.errors import WorkbenchError
from pipelines.records import Record, canonical_json, content_hash
from pipelines.store.project import Project
from pipelines.store.tables import RECORD_SCHEMA, row_to_record, write_parquet, write_text
from pipelines.tokens.template import NOTES, ChatFormat, load_chat_format
from pipelines.training.config import RunConfig
from pipelines.training.device import Device, best_device, cpu
from pipelines.training.estimate import Estimate, Work, estimate, work_of
from pipelines.training.ledger import Ledger, labels_are_masked, tokenise_split, warnings
from pipelines.training.model_size import model_size

FILE, TOKENS = "preflight.json", "tokens"
"""Where a run's folder keeps the preflight, and the tokenised splits: train.parquet and validation.parquet, as `datasets` finds them."""
PART = 1000
"""Rows read from a snapshot at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """The tokenised rows of a snapshot and what became of the others."""

    train: pa.Table
    """TOKEN_SCHEMA."""
    validation: pa.Table | None
    """TOKEN_SCHEMA, the rows that will be looked at, shortest first; None without any."""
    train_ledger: Ledger
    validation_ledger: Ledger | None
    in_both: int
    """Rows that stand in train and validation."""


@dataclass(frozen=True, slots=True, eq=False)
class Preflight:
    """What will be trained, what will not, and what it will cost."""

    chat: ChatFormat
    splits: Splits
    warnings: tuple[str, ...]
    work: Work
    estimate: Estimate
    dataset_hash: str
    """Of the ordered row ids, tokens and labels: two runs with the same hash learn the same thing."""

    def to_json(self) -> dict[str, Any]:
        """For preflight.json and the views."""
        splits = self.splits
        return {
            "train": splits.train_ledger.to_json(),
            "validation": splits.validation_ledger.to_json() if splits.validation_ledger else None,
            "in_both": splits.in_both,
            "warnings": list(self.warnings),
            "steps": self.work.steps,
            "padded_share": self.work.padded_share,
            "estimate": self.estimate.to_json(),
            "template": {"origin": self.chat.origin, "note": NOTES[self.chat.origin], "hash": self.chat.hash},
            "dataset_hash": self.dataset_hash,
            "row_ids_hash": content_hash(splits.train.column("row").to_pylist()),
        }


def preflight(
    project: Project, config: RunConfig, *, device: Device | None = None, processes: int = 1, run_folder: Path | None = None
) -> Preflight:
    """Tokenises a snapshot and accounts for every row. Raises WorkbenchError when the ledger does not balance or nothing can be trained.

    A `run_folder` that holds tokens already is read instead: a run that goes on learns what it began with, also when its
    template writes today's date into every row.
    """
    folder = snapshot_folder(project, config.snapshot)
    chat = load_chat_format(config.base, needs_tools=needs_tools(folder))
    splits = _stored(run_folder) if run_folder and (run_folder / FILE).is_file() else _tokenised(folder, chat, config)
    size = model_size(config.base)
    lengths = splits.train.column("tokens").to_pylist()
    eval_lengths = [] if splits.validation is None else splits.validation.column("tokens").to_pylist()
    work = work_of(lengths, splits.train.column("trained_tokens").to_pylist(), eval_lengths, config, size, processes)
    return Preflight(
        chat=chat,
        splits=splits,
        warnings=warnings(splits.train_ledger, splits.validation_ledger, steps=work.steps, both=splits.in_both),
        work=work,
        estimate=estimate(work, config, size, device or (cpu() if config.device == "cpu" else best_device())),
        dataset_hash=dataset_hash(splits.train),
    )


def _tokenised(folder: Path, chat: ChatFormat, config: RunConfig) -> Splits:
    train, train_ledger = _split(folder, "train", chat, config)
    train_ledger.verify()
    if not split_rows(folder, "validation"):
        return Splits(train, None, train_ledger, None, 0)
    validation, ledger = _split(folder, "validation", chat, config)
    in_both = int(pc.sum(pc.is_in(validation.column("row"), value_set=train.column("row"))).as_py() or 0)
    # Rows come in the snapshot's order, which a seed has mixed: the first ones are as good as any.
    looked_at = validation.slice(0, config.eval_rows).sort_by("tokens") if validation.num_rows else None
    return Splits(train, looked_at, train_ledger, ledger, in_both)


def _stored(run_folder: Path) -> Splits:
    stored = json.loads((run_folder / FILE).read_text(encoding="utf-8"))
    tables = [
        pq.read_table(path) if (path := run_folder / TOKENS / f"{split}.parquet").is_file() else None for split in ("train", "validation")
    ]
    ledgers = [Ledger.from_json(stored[split]) if stored[split] else None for split in ("train", "validation")]
    if tables[0] is None or ledgers[0] is None or dataset_hash(tables[0]) != stored["dataset_hash"]:
        raise WorkbenchError(f"The tokens in {run_folder / TOKENS} are not the ones this run began with. Start a new run.")
    return Splits(tables[0], tables[1], ledgers[0], ledgers[1], stored["in_both"])


def store_preflight(flight: Preflight, run_folder: Path) -> None:
    """Writes the tokens and then preflight.json into a run's folder."""
    for split, table in (("train", flight.splits.train), ("validation", flight.splits.validation)):
        if table is not None:
            write_parquet(table, run_folder / TOKENS / f"{split}.parquet")
    write_text(json.dumps(flight.to_json(), ensure_ascii=False, indent=1), run_folder / FILE)


def snapshot_folder(project: Project, snapshot: str) -> Path:
    """The folder of a finished snapshot. Raises WorkbenchError when there is none of that id."""
    folder = project.snapshots_folder / snapshot
    if not (folder / "manifest.json").is_file():
        known = sorted(each.parent.name for each in project.snapshots_folder.glob("*/manifest.json"))
        listed = f"There are: {', '.join(known)}." if known else "Make one first."
        raise WorkbenchError(f"The project has no finished snapshot {snapshot}. {listed}")
    return folder


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a snapshot folder."""
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def split_rows(folder: Path, split: str) -> int:
    """How many rows a split of a snapshot has; 0 without the file."""
    path = folder / f"{split}.parquet"
    return pq.read_metadata(path).num_rows if path.is_file() else 0


def read_split(folder: Path, split: str) -> Iterator[tuple[str, Record]]:
    """The rows of a split in their order: (id, record)."""
    file = pq.ParquetFile(folder / f"{split}.parquet")
    for batch in file.iter_batches(batch_size=PART, columns=RECORD_SCHEMA.names):
        yield from ((row["id"], row_to_record(row)) for row in batch.to_pylist())


def needs_tools(folder: Path) -> bool:
    """Whether any row of train or validation declares tools, calls one or holds what one answered."""
    return any(_holds_tools(folder, split) for split in ("train", "validation") if split_rows(folder, split))


def _holds_tools(folder: Path, split: str) -> bool:
    file = pq.ParquetFile(folder / f"{split}.parquet")
    for batch in file.iter_batches(batch_size=PART, columns=["tools", "messages", "chosen"]):
        if batch.column("tools").null_count < batch.num_rows:
            return True
        for column in ("messages", "chosen"):
            turns = pc.list_flatten(batch.column(column))
            roles, calls = pc.struct_field(turns, "role"), pc.struct_field(turns, "tool_calls")
            if calls.null_count < len(calls) or pc.any(pc.equal(roles, "tool")).as_py():
                return True
    return False


def _split(folder: Path, split: str, chat: ChatFormat, config: RunConfig) -> tuple[pa.Table, Ledger]:
    table, ledger = tokenise_split(
        read_split(folder, split), chat, split=split, max_length=config.max_length, over_length=config.over_length
    )
    if ledger.rows_in != split_rows(folder, split) or not labels_are_masked(table):
        raise WorkbenchError(f"The {split} split of snapshot {folder.name} was not read as it was written. Make the snapshot again.")
    return table, ledger


def dataset_hash(table: pa.Table) -> str:
    """Hexadecimal blake2b-128 of the row ids, tokens and labels of a token table, in order."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(canonical_json(table.column("row").to_pylist()).encode())
    # Lengths, then values, so that neither depends on how the table is cut into chunks.
    for column in ("input_ids", "labels"):
        for numbers in (pc.list_value_length(table.column(column)), pc.list_flatten(table.column(column))):
            for chunk in numbers.chunks:
                digest.update(chunk.to_numpy().astype("<i4").tobytes())
    return digest.hexdigest()
