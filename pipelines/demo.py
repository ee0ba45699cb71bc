"""Demo: the main job on the sample data, without a browser. Run as `python -m pipelines.demo` or `make demo`."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.cli import build_parser
from pipelines.errors import WorkbenchError

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
    snapshot = _step(*project, "snapshot")["id"]
    train = ["train", snapshot] + (["--steps", str(steps)] if steps else [])
    run = _step(*project, *train)["run"]
    evaluate = ["evaluate", run, "--on", str(SAMPLE / "holdout.jsonl")] + (["--limit", str(limit)] if limit else [])
    _step(*project, *evaluate)


def _step(*words: str) -> dict[str, Any]:
    print(f"\n$ winnow {' '.join(words)}", flush=True)
    options = build_parser().parse_args(words)
    found, said = options.command(options)
    print(said, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
