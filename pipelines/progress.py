"""Progress line: what a job reports, on one line of a terminal, or as plain lines in a log."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Any

_LOG_SECONDS = 10.0
"""Without a terminal, a line at most this often."""


class ProgressLine:
    """Shows events of `pipelines.jobs` on stderr."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.fraction = 0.0
        self.message = ""
        self.is_terminal = sys.stderr.isatty()
        self.shown_at = 0.0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def show(self, fraction: float | None = None, message: str | None = None, **_numbers: Any) -> None:
        """Takes one event."""
        self.fraction = self.fraction if fraction is None else fraction
        changed = message is not None and message != self.message
        self.message = message or self.message
        now = time.monotonic()
        if self.is_terminal and now - self.shown_at > 0.05:
            self.shown_at = now
            line = f"{self.title}  {self.fraction:>4.0%}  {self.message}"
            sys.stderr.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
            sys.stderr.flush()
        elif not self.is_terminal and changed and now - self.shown_at > _LOG_SECONDS:
            self.shown_at = now
            sys.stderr.write(f"{self.title}  {self.fraction:>4.0%}  {self.message}\n")
            sys.stderr.flush()
