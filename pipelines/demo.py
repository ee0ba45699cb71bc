"""Demo: the main job on the sample data, without a browser. Run as `python -m pipelines.demo` or `make demo`."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.cli import build_parser
from pipelines.errors import WorkbenchError

TRAINING_SECONDS = 300
"""How long the demo trains at most, so that all of it ends within a quarter of an hour or so on a slow laptop."""
FEWEST_STEPS = 20
"""Fewer teach the model too little to show."""
SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"


def main(arguments: list[str] | None = None) -> int:
    """Runs every station in order, printing each command before its answer. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.demo", description=main.__doc__)
    parser.add_argument(
        "--project", metavar="DIR", type=Path, default=Path("data/projects/demo"), help="made anew each time (default: %(default)s)"
    )
    parser.add_argument("--steps", metavar="N", type=int, help="optimiser steps (default: by size of the data)")
    parser.add_argument("--limit", metavar="N", type=int, help="evaluate on at most this many hold-out rows")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        _run(options.project, options.steps, options.limit)
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return 1
    minutes = (time.monotonic() - began) / 60
    print(f"\nThe whole job took {minutes:.1f} minutes. See it in the browser: winnow --project {options.project} serve")
    return 0


def _run(folder: Path, steps: int | None, limit: int | None) -> None:
    if (folder / "project.db").is_file():
        shutil.rmtree(folder)
    project = ("--project", str(folder))
    _step(*project, "import", str(SAMPLE / "tickets.jsonl"))
    _step(*project, "scan")
    _step(*project, "report", "--format", "html", "-o", str(folder / "report.html"))
    snapshot = _step(*project, "snapshot")
    run = _step(*project, "train", snapshot["id"], *_steps(folder, snapshot, steps))["run"]
    evaluate = ["evaluate", run, "--on", str(SAMPLE / "holdout.jsonl")] + (["--limit", str(limit)] if limit else [])
    _step(*project, *evaluate)


def _steps(folder: Path, snapshot: dict[str, Any], wanted: int | None) -> list[str]:
    """The option for the number of steps; none where this machine is quick enough for the usual number."""
    if wanted:
        return ["--steps", str(wanted)]
    from pipelines.store.project import Project
    from pipelines.training.config import default_config
    from pipelines.training.device import best_device
    from pipelines.training.preflight import preflight

    usual = default_config(snapshot["id"], snapshot["train"], best_device().kind).config
    flight = preflight(Project.open(folder), usual)
    each = flight.estimate.seconds_per_step
    steps = affordable_steps(flight.work.steps, each.low, each.high)
    if steps == flight.work.steps:
        return []
    minutes = TRAINING_SECONDS // 60
    print(f"\nThis machine is slow: {steps} steps instead of {flight.work.steps}, so that training takes about {minutes} minutes.")
    return ["--steps", str(steps)]


def affordable_steps(usual: int, low: float, high: float) -> int:
    """As many steps as fit into TRAINING_SECONDS when one takes `low` to `high` seconds, but FEWEST_STEPS or the usual number at least."""
    return min(usual, max(FEWEST_STEPS, int(TRAINING_SECONDS / math.sqrt(low * high))))


def _step(*words: str) -> dict[str, Any]:
    print(f"\n$ winnow {' '.join(words)}", flush=True)
    options = build_parser().parse_args(words)
    found, said = options.command(options)
    print(said, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
