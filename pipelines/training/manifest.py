"""Manifest: run.json, everything needed to say how an adapter came about. Written last."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

from pipelines import __version__, models
from pipelines.store.project import Project
from pipelines.tokens.template import NOTES
from pipelines.training.config import RunConfig
from pipelines.training.preflight import Preflight, read_manifest, snapshot_folder

FILE = "run.json"
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "bitsandbytes")
"""Whose versions are recorded."""


def read_run(folder: Path) -> dict[str, Any] | None:
    """The manifest of a run's folder; None before it has trained."""
    path = folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def describe_run(project: Project, config: RunConfig, flight: Preflight, adapted_layers: list[str]) -> dict[str, Any]:
    """What was known when the run began: data, model, settings, software."""
    described = flight.to_json()
    return {
        "winnow": __version__,
        "snapshot": {"id": config.snapshot, "manifest": read_manifest(snapshot_folder(project, config.snapshot))},
        "dataset_hash": flight.dataset_hash,
        "row_ids_hash": described["row_ids_hash"],
        "base": models.describe_source(config.base) | {"path": models.base_model(config.base)},
        "template": {
            "origin": flight.chat.origin,
            "note": NOTES[flight.chat.origin],
            "hash": flight.chat.hash,
            "text": flight.chat.template,
        },
        "config": config.to_json(),
        "adapted_layers": adapted_layers,
        "ledger": {"train": described["train"], "validation": described["validation"]},
        "warnings": described["warnings"],
        "predicted": described["estimate"],
        "packages": _versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
