"""Preflight job: the preflight in a process of its own, for an app that must not load a tokenizer, with counts in place of row ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.jobs import Emit
from pipelines.store.project import Project
from pipelines.training.config import RunConfig
from pipelines.training.preflight import preflight


def preflight_job(config: dict[str, Any], folder: Path, emit: Emit) -> dict[str, Any]:
    """The job "preflight": config {"project"} and the settings of a run. Returns Preflight.to_json with counts of rows for their ids."""
    emit(fraction=0.05, message="Reading the rows as the model will see them")
    settings = RunConfig.from_json({key: value for key, value in config.items() if key != "project"})
    seen = preflight(Project.open(config["project"]), settings).to_json()
    return seen | {split: None if seen[split] is None else _counted(seen[split]) for split in ("train", "validation")}


def _counted(ledger: dict[str, Any]) -> dict[str, Any]:
    return ledger | {
        "dropped": {reason: len(rows) for reason, rows in ledger["dropped"].items()},
        "truncated": {"rows": len(ledger["truncated"]), "tokens_lost": sum(cut["tokens_lost"] for cut in ledger["truncated"])},
        "control_tokens": len(ledger["control_tokens"]),
    }
