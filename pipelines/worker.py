"""Worker: the process of one job. Run as `python -m pipelines.worker FOLDER`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError

WORK = {
    "import": "pipelines.sources.ingest:import_job",
    "mend": "pipelines.sources.mending:retry_job",
    "scan": "pipelines.scan:scan_job",
    "held_out": "pipelines.scan:held_out_job",
    "tokens": "pipelines.scan:token_job",
    "fix": "pipelines.curation.fixes:fix_job",
    "snapshot": "pipelines.curation.snapshot:snapshot_job",
    "preflight": "pipelines.training.preflight_job:preflight_job",
    "train": "pipelines.training.run:train_job",
    "evaluate": "pipelines.evaluation.compare:evaluate_job",
    "difficulty": "pipelines.evaluation.difficulty:difficulty_job",
    "chat": "pipelines.evaluation.chat:chat_job",
}
"""What each kind of job calls: module and function. Imported only when the job runs."""


def work_of(kind: str) -> jobs.Work:
    """The function that does a kind of job."""
    module, function = WORK[kind].split(":")
    work: jobs.Work = getattr(importlib.import_module(module), function)
    return work


def main(folder: Path) -> int:
    """Does the job of a prepared folder. Returns the exit status."""
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["kind"]
    try:
        jobs.run_started(folder, work_of(kind))
    except (WorkbenchError, Cancelled):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
