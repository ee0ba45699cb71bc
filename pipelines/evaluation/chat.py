"""Chat: a conversation with the base model or the tuned one, held by a process of its own that keeps the model in memory.

The app and the process talk through files in the job's folder: a question is requests/<id>.json, its answer grows in replies/<id>.jsonl.
The functions that ask import no torch.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.models import BASE_MODEL
from pipelines.records import Message, messages_from_json
from pipelines.store.project import Project
from pipelines.store.tables import write_text

if TYPE_CHECKING:
    from pipelines.evaluation.speaker import Speaker

Model = Literal["base", "tuned"]

IDLE_SECONDS = 600.0
"""A model nobody talks to for so long is put away."""
_POLL_SECONDS = 0.05
_SECONDS_BETWEEN_LOOKS = 1.0
"""How often one who waits looks whether the process still lives."""
_PUT_AWAY = "The model was put away, because nobody talked to it or it was stopped. Start the chat again."


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question as it lies in requests/."""

    messages: tuple[Message, ...]
    model: Model = "tuned"
    max_new_tokens: int = 256
    temperature: float = 0.0
    """0 takes the likeliest token each time."""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return asdict(self) | {"messages": [message.to_json() for message in self.messages]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ChatRequest:
        """The inverse of to_json."""
        return cls(**stored | {"messages": messages_from_json(stored["messages"])})


def start_chat(project: Project, run: str | None = None, *, base: str = BASE_MODEL) -> Path:
    """The folder of a process that holds the run's model and its base model (or a base model alone), started if none is alive.

    Returns at once; the first answer waits until the model is loaded. A process is not used again once the run was trained further: it
    holds the model of before. Raises WorkbenchError when the run has no adapter.
    """
    adapter = None
    if run is not None:
        from pipelines.evaluation.tuned_run import find_run

        found = find_run(project, run)
        base, adapter = found.base, found.adapter_sha256()
    config = {"project": str(project.folder), "run": run, "base": base, "adapter_sha256": adapter}
    project.jobs_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(project.jobs_folder / ".chat.lock"):
        for folder in sorted(project.jobs_folder.glob("chat-*"), reverse=True):
            if (folder / "config.json").is_file() and jobs.read_config(folder) == config and not jobs.view(folder).is_finished:
                return folder
        folder = jobs.prepare(project.jobs_folder / jobs.new_id("chat"), "chat", config, f"Chat with {run or base}")
        jobs.start(folder)
        return folder


def ask(
    folder: Path,
    messages: Sequence[dict[str, Any]],
    *,
    model: Model = "tuned",
    max_new_tokens: int = 256,
    temperature: float = 0.0,
    seed: int = 0,
) -> Iterator[str]:
    """The answer in pieces, as it is written. Temperature 0 takes the likeliest token each time.

    Closing the iterator stops the model. Raises WorkbenchError when it cannot answer, with the reason.
    """
    request = ChatRequest(messages_from_json(messages), model, max_new_tokens, temperature, seed)
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
    write_text(json.dumps(request.to_json(), ensure_ascii=False), folder / "requests" / f"{name}.json")
    reply = folder / "replies" / f"{name}.jsonl"
    is_answered = False
    try:
        for event in _events(folder, reply):
            if "error" in event:
                is_answered = True
                raise WorkbenchError(event["error"])
            if event["text"]:
                yield event["text"]
        is_answered = True
    finally:
        (folder / "requests" / f"{name}.json").unlink(missing_ok=True)
        if is_answered:
            reply.unlink(missing_ok=True)
        else:
            _stop_file(folder, name).touch()


def _events(folder: Path, reply: Path) -> Iterator[dict[str, Any]]:
    """The lines of a reply as they come, up to the one that says it is done."""
    looked_at = time.monotonic()
    unfinished = ""
    with _opened(folder, reply) as file:
        while True:
            unfinished += file.readline()
            if unfinished.endswith("\n"):
                event = json.loads(unfinished)
                unfinished = ""
                yield event
                if event["done"]:
                    return
                continue
            if time.monotonic() - looked_at > _SECONDS_BETWEEN_LOOKS:
                looked_at = time.monotonic()
                _require_alive(folder)
            time.sleep(_POLL_SECONDS / 5)


def _opened(folder: Path, reply: Path) -> Any:
    """The reply's file, once there is one."""
    looked_at = 0.0
    while True:
        with suppress(FileNotFoundError):
            return reply.open(encoding="utf-8")
        if time.monotonic() - looked_at > _SECONDS_BETWEEN_LOOKS:
            looked_at = time.monotonic()
            _require_alive(folder)
        time.sleep(_POLL_SECONDS / 5)


def _require_alive(folder: Path) -> None:
    view = jobs.view(folder)
    if view.state in ("failed", "lost"):
        raise WorkbenchError(f"{view.message} Start the chat again.")
    if view.is_finished:
        raise WorkbenchError(_PUT_AWAY)


def _stop_file(folder: Path, name: str) -> Path:
    return folder / "requests" / f"{name}.stop"


def chat_job(config: dict[str, Any], folder: Path, emit: jobs.Emit) -> dict[str, Any]:
    """Answers requests until nobody has asked for IDLE_SECONDS: config {"project", "run" or None, "base", "idle_seconds"}."""
    from pipelines.evaluation.speaker import load_speaker

    mailboxes = (folder / "requests", folder / "replies")
    for mailbox in mailboxes:
        mailbox.mkdir(exist_ok=True)
    emit(message="Loading the model")
    speaker = load_speaker(Project.open(config["project"]), config.get("run"), config.get("base") or BASE_MODEL)
    emit(message="Ready")
    try:
        return {"answered": _serve(speaker, folder, float(config.get("idle_seconds") or IDLE_SECONDS), emit)}
    finally:
        for mailbox in mailboxes:  # conversations may be private, and nobody waits for these any more
            for path in mailbox.iterdir():
                path.unlink(missing_ok=True)


def _serve(speaker: Speaker, folder: Path, idle_seconds: float, emit: jobs.Emit) -> int:
    """Answers what comes, oldest first, until nothing has come for so long. Returns how many."""
    answered, asked_at = 0, time.monotonic()
    while time.monotonic() - asked_at < idle_seconds:
        if jobs.is_cancel_requested(folder):
            emit(message="Stopping")  # raises Cancelled
        waiting = sorted((folder / "requests").glob("*.json"))
        if not waiting:
            _forget_left(folder)
            time.sleep(_POLL_SECONDS)
            continue
        _answer(speaker, waiting[0], folder)
        answered, asked_at = answered + 1, time.monotonic()
    return answered


def _answer(speaker: Speaker, path: Path, folder: Path) -> None:
    """Writes the reply to a request, piece by piece, and takes the request away. A request that fails gets its reason as reply."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:  # the one who asked has left already
        return
    stop = _stop_file(folder, path.stem)
    reply = folder / "replies" / f"{path.stem}.jsonl"
    with reply.open("w", encoding="utf-8") as file:

        def write(event: dict[str, Any]) -> None:
            file.write(json.dumps(event, ensure_ascii=False) + "\n")
            file.flush()

        try:
            request = ChatRequest.from_json(json.loads(text))
            speaker.speak(
                request.messages, model=request.model, max_new_tokens=request.max_new_tokens, temperature=request.temperature,
                seed=request.seed, write=lambda piece: write({"text": piece, "done": False}),
                should_stop=lambda: stop.exists() or jobs.is_cancel_requested(folder),
            )  # fmt: skip
            write({"text": "", "done": True})
        except WorkbenchError as error:
            write({"error": str(error), "text": "", "done": True})
        except (KeyError, TypeError, ValueError) as error:
            write({"error": f"The request cannot be read: {error}. Send messages with role and content.", "text": "", "done": True})
    path.unlink(missing_ok=True)


def _forget_left(folder: Path) -> None:
    """Removes the replies nobody reads: those who asked have left."""
    for stop in (folder / "requests").glob("*.stop"):
        (folder / "replies" / f"{stop.stem}.jsonl").unlink(missing_ok=True)
        stop.unlink(missing_ok=True)
