"""Tuned run: what an evaluation needs to know about a training run."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import WorkbenchError
from pipelines.evaluation.language_model import require_adapter
from pipelines.store.project import Project

EVALUATIONS = "evaluations"
"""Folder of a run with its evaluations."""


@dataclass(frozen=True, slots=True)
class TunedRun:
    """A run that has left an adapter."""

    id: str
    folder: Path
    base: str
    """Short name, folder or hub id of the model it began with."""
    snapshot: str

    @property
    def adapter(self) -> Path:
        """The PEFT folder, with the tokenizer and the chat template."""
        return self.folder / "adapter"

    @property
    def evaluations(self) -> Path:
        """The folder of its evaluations."""
        return self.folder / EVALUATIONS

    def adapter_sha256(self) -> str:
        """Hexadecimal SHA-256 of the adapter's weights. It changes when a stopped run is trained further."""
        weights = self.adapter / "adapter_model.safetensors"
        told = weights.stat()
        return _sha256(weights, told.st_mtime_ns, told.st_size)


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, _modified_ns: int, _bytes: int) -> str:
    """Kept while the file is unchanged: the hash is asked for whenever a page is drawn, and large adapters have gigabytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_run(project: Project, run: str) -> TunedRun:
    """The run of that id. Raises WorkbenchError when there is none or it has no adapter yet."""
    folder = project.runs_folder / run
    manifest = folder / "run.json"
    if not run or folder.parent != project.runs_folder or not folder.is_dir():
        known = ", ".join(sorted(p.name for p in project.runs_folder.glob("[!.]*") if p.is_dir())) or "none yet; train one first"
        raise WorkbenchError(f'There is no run "{run}" in {project.name}. Runs: {known}.')
    if not manifest.is_file():
        raise WorkbenchError(f"Run {run} has not finished, so it has no adapter to try. Wait for it, or stop it with saving.")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    found = TunedRun(run, folder, base=told["config"]["base"], snapshot=told["snapshot"]["id"])
    require_adapter(found.adapter)
    return found
