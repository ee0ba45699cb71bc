"""Distributed: one run on several cards of one machine, a process for each.

The job's own process becomes the one that watches: it starts `accelerate launch`, passes on what the first process reports,
and ends them all when the user cancels. With one card or none, nothing of this happens.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.training.config import RunConfig

REPORTS, OUTCOME = "processes.jsonl", "processes.json"
_CHILD = "WINNOW_TRAINING_PROCESS"


def processes_wanted(config: RunConfig) -> int:
    """How many processes a run gets: one for each visible card, one on a CPU."""
    if config.device == "cpu":
        return 1
    import torch

    return max(1, torch.cuda.device_count()) if torch.cuda.is_available() else 1


def is_child() -> bool:
    """Whether this process was started by `launch`."""
    return _CHILD in os.environ


def process_count() -> int:
    """Processes of the run this one belongs to."""
    return int(os.environ.get("WORLD_SIZE", "1")) if is_child() else 1


def is_first() -> bool:
    """Whether this process writes the files of the run."""
    return not is_child() or os.environ.get("RANK", "0") == "0"


def launch_command(folder: Path, processes: int) -> list[str]:
    """The command line that trains a prepared run folder in several processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Everything the user's own accelerate config could change is said here; the number format is the trainer's choice.
    options = {"num_processes": processes, "num_machines": 1, "mixed_precision": "no", "dynamo_backend": "no", "main_process_port": port}
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", *flags, "-m", "pipelines.training.distributed", str(folder)]


def launch(folder: Path, processes: int, emit: jobs.Emit) -> dict[str, Any]:
    """Trains in several processes and returns the result of the first."""
    for name in (REPORTS, OUTCOME):
        (folder / name).unlink(missing_ok=True)
    # In the job's process group, so that ending the job ends them too.
    launcher = subprocess.Popen(launch_command(folder, processes), env=os.environ | {_CHILD: "1"})
    try:
        position = 0
        while True:
            ended = launcher.poll() is not None
            position = _pass_on(folder / REPORTS, position, emit)
            if ended:
                break
            if jobs.is_cancel_requested(folder):  # also when there is nothing to report
                raise Cancelled
            time.sleep(0.5)
    finally:
        if launcher.poll() is None:
            launcher.send_signal(signal.SIGTERM)
            launcher.wait()
    outcome = json.loads((folder / OUTCOME).read_text(encoding="utf-8")) if (folder / OUTCOME).is_file() else {}
    if "error" in outcome:
        raise WorkbenchError(outcome["error"])
    if launcher.returncode or "result" not in outcome:
        raise WorkbenchError(
            f"Training on {processes} devices ended with status {launcher.returncode}. log.txt in the run's folder says why."
        )
    return outcome["result"]


def _pass_on(path: Path, position: int, emit: jobs.Emit) -> int:
    """Emits the whole lines after `position` and returns where the next ones will begin."""
    if not path.is_file():
        return position
    with path.open("rb") as file:
        file.seek(position)
        for line in file:
            if not line.endswith(b"\n"):
                break
            position += len(line)
            emit(**json.loads(line))
    return position


def main(folder: Path) -> int:
    """The work of one of the processes. Returns the exit status."""
    from pipelines.training.run import train_job

    def emit(fraction: float | None = None, message: str | None = None, **numbers: Any) -> None:
        if is_first():
            with (folder / REPORTS).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"fraction": fraction, "message": message} | numbers) + "\n")

    outcome: dict[str, Any]
    try:
        outcome = {"result": train_job(jobs.read_config(folder), folder, emit)}
    except WorkbenchError as error:
        outcome = {"error": str(error)}
    if is_first():
        (folder / OUTCOME).write_text(json.dumps(outcome), encoding="utf-8")
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    return 1 if "error" in outcome else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
