"""Job: work over a second, in a process of its own, with a folder that tells its story.

The folder holds config.json (what to do), events.jsonl (what happened, one JSON object a line), log.txt, and `lock`,
which the worker holds while it lives: a free lock under an unfinished story means the job was lost. A pid would mislead,
because a dead child still answers signals until it is reaped, and pids are used again.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from pipelines.errors import Cancelled, WorkbenchError
from pipelines.store.project import Project

State = Literal["starting", "running", "done", "failed", "cancelled", "lost"]
LOST = "The process ended without saying why (out of memory, or the machine was restarted). Resume goes on where it stopped."
FINISHED: tuple[State, ...] = ("done", "failed", "cancelled", "lost")
STARTUP_SECONDS = 60.0
"""A worker that has not taken its lock within this time is lost."""

QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "false"}
"""Environment of a worker: nothing is sent anywhere, and no library draws bars into the log."""

Emit = Callable[..., None]
"""emit(fraction=0.4, message="…", **numbers): reports progress; raises Cancelled when the user asked to stop."""

Work = Callable[[dict[str, Any], Path, Emit], dict[str, Any]]
"""What does a kind of job: (config, folder, emit) -> result."""


@dataclass(frozen=True, slots=True)
class JobView:
    """What can be said about a job from its folder alone."""

    id: str
    kind: str
    title: str
    folder: Path
    state: State
    fraction: float = 0.0
    """Share of the work done, 0 to 1."""
    message: str = ""
    """What it is doing, or the sentence that says why it ended."""
    result: dict[str, Any] = field(default_factory=dict)
    started_at: float | None = None
    """Seconds since the epoch."""
    ended_at: float | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it will not go on by itself."""
        return self.state in FINISHED

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far; None when there is no pace yet."""
        if self.state != "running" or not self.started_at or self.fraction < 0.02:
            return None
        return (time.time() - self.started_at) * (1 - self.fraction) / self.fraction


def new_id(kind: str) -> str:
    """An id that sorts by time: scan-20260131-142501-3f9a."""
    return f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def prepare(folder: Path, kind: str, config: dict[str, Any], title: str = "") -> Path:
    """The folder of a new job, with its config written."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {"kind": kind, "title": title or kind, "config": config}
    (folder / "config.json").write_text(json.dumps(described, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def start(folder: Path) -> None:
    """Starts (or resumes) the job of a prepared folder in a process that outlives the caller, browser and app server.

    Raises WorkbenchError when it is running already.
    """
    if is_running(folder):
        raise WorkbenchError("This job is running already.")
    _begin(folder)
    with (folder / "log.txt").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.worker", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | QUIET | {"PYTHONUNBUFFERED": "1"},
        )


def run(folder: Path, work: Work, listen: Emit | None = None) -> dict[str, Any]:
    """Does (or resumes) a job in this process, with the same folder, lock and events; `listen` also gets every event. Returns the result.

    A WorkbenchError or Cancelled is recorded and raised again; any other exception is recorded with its traceback in log.txt and raised.
    """
    with _lock(folder):
        _begin(folder)
        return _run_locked(folder, work, listen)


def run_started(folder: Path, work: Work) -> dict[str, Any]:
    """As `run`, for a job that `start` has begun: a cancel that came since then counts."""
    with _lock(folder):
        return _run_locked(folder, work, None)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / "lock", timeout=5)
    try:
        lock.acquire()
    except Timeout:
        raise WorkbenchError("This job is running already.") from None
    try:
        yield
    finally:
        lock.release()


def _begin(folder: Path) -> None:
    """A new attempt: what was asked of an earlier one, to end or to save and stop, is not asked of this one."""
    (folder / "cancel").unlink(missing_ok=True)
    (folder / "stop").unlink(missing_ok=True)
    _append(folder, {"state": "starting"})


def _run_locked(folder: Path, work: Work, listen: Emit | None) -> dict[str, Any]:
    (folder / "pid").write_text(str(os.getpid()))
    _append(folder, {"state": "running", "fraction": 0.0})

    def emit(fraction: float | None = None, message: str | None = None, **numbers: Any) -> None:
        event = {"fraction": fraction, "message": message} | numbers
        _append(folder, {k: v for k, v in event.items() if v is not None})
        if listen:
            listen(fraction=fraction, message=message, **numbers)
        if is_cancel_requested(folder):
            raise Cancelled

    try:
        result = work(read_config(folder), folder, emit)
    except Cancelled:
        _append(folder, {"state": "cancelled", "message": "Stopped by the user. What was finished is kept."})
        raise
    except WorkbenchError as error:
        _append(folder, {"state": "failed", "message": str(error)})
        raise
    except BaseException as error:  # the job's top level: whatever it is becomes an event and a traceback
        with (folder / "log.txt").open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        if isinstance(error, KeyboardInterrupt):
            _append(folder, {"state": "cancelled", "message": "Stopped by the user. What was finished is kept."})
        else:
            _append(folder, {"state": "failed", "message": f"{type(error).__name__}: {error}. The whole story is in log.txt."})
        raise
    _append(folder, {"state": "done", "fraction": 1.0, "result": result})
    return result


def read_config(folder: Path) -> dict[str, Any]:
    """The config the job was prepared with. `project` is the one that the job's folder lies in, also when that was moved or copied."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))["config"]
    project = Project(folder.absolute().parent.parent)  # <project>/jobs/<id> or <project>/runs/<id>
    return config | {"project": str(project.folder)} if project.exists else config


def _append(folder: Path, event: dict[str, Any]) -> None:
    line = json.dumps({"at": time.time()} | event, ensure_ascii=False) + "\n"
    # One write of one line with O_APPEND: lines of two processes never mix.
    descriptor = os.open(folder / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode("utf-8"))
    finally:
        os.close(descriptor)


def events(folder: Path) -> Iterator[dict[str, Any]]:
    """Every event so far, oldest first. A torn last line is left out."""
    path = folder / "events.jsonl"
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def is_running(folder: Path) -> bool:
    """Whether a worker holds the job's lock."""
    path = folder / "lock"
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


def view(folder: Path) -> JobView:
    """The job as its folder tells it."""
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    seen: dict[str, Any] = {"state": "starting", "fraction": 0.0, "message": "", "result": {}}
    started_at = ended_at = last_at = None
    for happened in events(folder):
        last_at = happened["at"]
        if happened.get("state") == "starting":
            seen |= {"fraction": 0.0, "message": "", "result": {}}
            ended_at = None
        if happened.get("state") == "running":
            started_at = last_at
        if happened.get("state") in FINISHED:
            ended_at = last_at
        seen |= {k: happened[k] for k in ("state", "fraction", "message", "result") if k in happened}
    if seen["state"] == "running" and not is_running(folder) and not _finished_meanwhile(folder):
        seen |= {"state": "lost", "message": LOST}
    if seen["state"] == "starting" and last_at is not None and time.time() - last_at > STARTUP_SECONDS and not is_running(folder):
        seen |= {"state": "lost", "message": "The process did not start. log.txt in the job's folder says why."}
    return JobView(
        id=folder.name, kind=described["kind"], title=described["title"], folder=folder,
        state=seen["state"], fraction=seen["fraction"], message=seen["message"], result=seen["result"],
        started_at=started_at, ended_at=ended_at,
    )  # fmt: skip


def _finished_meanwhile(folder: Path) -> bool:
    """Whether the job ended between our reading of its events and our look at its lock."""
    last = None
    for happened in events(folder):
        last = happened.get("state", last)
    return last in FINISHED


def is_cancel_requested(folder: Path) -> bool:
    """Whether the user asked to end the job now."""
    return (folder / "cancel").exists()


def cancel(folder: Path, wait_seconds: float = 10.0) -> None:
    """Ends a job: asks first, and after `wait_seconds` ends its process group. Safe to call on a finished job."""
    (folder / "cancel").touch()
    deadline = time.time() + wait_seconds
    while time.time() < deadline:
        if not is_running(folder):
            break
        time.sleep(0.1)
    else:
        _end_process_group(folder)
    if view(folder).state in ("starting", "running", "lost"):
        _append(folder, {"state": "cancelled", "message": "Stopped by the user. What was finished is kept."})


def _end_process_group(folder: Path) -> None:
    try:
        pid = int((folder / "pid").read_text())
        if os.getpgid(pid) == pid and is_running(folder):  # a group of its own: started by `start`, not our caller's
            os.killpg(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
