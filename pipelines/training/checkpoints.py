"""Checkpoint: what a run needs to go on after a stop or a crash. Only complete ones of the same rows are used."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.store.tables import write_text

MARK = "winnow.json"
"""Written last into a checkpoint folder: without it the checkpoint is not complete."""
REQUIRED = ("adapter_config.json", "adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint."""

    folder: Path
    step: int
    mark: dict[str, Any]
    """What was written with it: dataset_hash, the losses of the rows and the seconds of the run so far."""


def mark_complete(
    folder: Path, step: int, dataset_hash: str, row_losses: dict[str, Any], *, seconds: float = 0.0, processes: int = 1
) -> None:
    """Declares a checkpoint complete. To be called when everything else in it is written."""
    mark = {"step": step, "dataset_hash": dataset_hash, "processes": processes, "seconds": seconds, "row_losses": row_losses}
    write_text(json.dumps(mark), folder / MARK)


def latest_checkpoint(folder: Path, dataset_hash: str, processes: int = 1) -> Checkpoint | None:
    """The furthest checkpoint under a folder that is complete, is what its name says, and was trained on the same rows.

    Trainer's own choice takes the highest number, complete or not, and never looks at the rows.
    """
    found = (_read(each, dataset_hash, processes) for each in _newest_first(folder))
    return next((checkpoint for checkpoint in found if checkpoint), None)


def _newest_first(folder: Path) -> Iterator[Path]:
    named = {int(match.group(1)): each for each in folder.glob("checkpoint-*") if (match := re.fullmatch(r"checkpoint-(\d+)", each.name))}
    return (named[step] for step in sorted(named, reverse=True))


def _read(folder: Path, dataset_hash: str, processes: int) -> Checkpoint | None:
    states = ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    if not all((folder / name).is_file() for name in (*REQUIRED, *states, MARK)):
        return None
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    step = int(folder.name.removeprefix("checkpoint-"))
    is_same = mark.get("dataset_hash") == dataset_hash and mark.get("processes") == processes
    if not (
        is_same and state.get("global_step") == step == mark.get("step") and _is_whole_safetensors(folder / "adapter_model.safetensors")
    ):
        return None
    return Checkpoint(folder, step, mark)


def _is_whole_safetensors(path: Path) -> bool:
    """Whether the file is as long as its header says: a copy cut short loads as a broken adapter otherwise."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            return False
        (length,) = struct.unpack("<Q", start)
        if 8 + length > size:
            return False
        try:
            header = json.loads(file.read(length))
        except (json.JSONDecodeError, UnicodeDecodeError):
            return False
    ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    return size == 8 + length + max(ends, default=0)
