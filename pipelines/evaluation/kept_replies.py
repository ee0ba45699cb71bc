"""Kept reply: what a model answered before, so that it need not be asked again. One JSON line each, in a file per model."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from pipelines.evaluation.decoding import Question
from pipelines.evaluation.generate import Reply
from pipelines.records import content_hash


class KeptReplies:
    """The replies of one model. A process that is killed while it writes loses one reply at most."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._by_question: dict[str, Reply] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    kept = json.loads(line)
                except json.JSONDecodeError:  # the line a killed process did not finish
                    continue
                self._by_question[kept["question"]] = Reply(tuple(kept["tokens"]), kept["stopped"], kept["loss"])

    def find(self, question: Question, limit: int) -> Reply | None:
        """The reply to a question as it is under a limit of new tokens; None when it is not known.

        Greedy answers under different limits begin alike, so a longer one tells a shorter one.
        """
        reply = self._by_question.get(_key(question))
        if reply is None or (not reply.stopped and len(reply.tokens) < limit):
            return None
        if reply.stopped and len(reply.tokens) < limit:  # its turn end was the next token
            return reply
        return Reply(reply.tokens[:limit], False, reply.loss)

    def add(self, question: Question, reply: Reply) -> None:
        """Keeps a reply, on disk at once."""
        self._by_question[_key(question)] = reply
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"question": _key(question)} | asdict(reply))
        # A line break before as well: the last line may be one that a killed process did not finish.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, f"\n{line}\n".encode())
        finally:
            os.close(descriptor)


def _key(question: Question) -> str:
    return content_hash([question.prompt, question.expected])
