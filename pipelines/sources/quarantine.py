"""Quarantine: the rows that could not be imported, each with its place and reason, in one JSONL file per import."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pipelines.sources.rows import MAX_RAW_CHARACTERS, Rejection


class Quarantine:
    """Writes rejections as they come. The file is there even when none does, so that whoever reads it finds it empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = self.path.open("wb")

    def add(self, rejection: Rejection) -> None:
        """Writes one line with the keys file, row, reason, raw; and raw_cut when only the start of the text is kept."""
        line = {"file": rejection.file, "row": rejection.row, "reason": rejection.reason, "raw": rejection.raw[:MAX_RAW_CHARACTERS]}
        if len(rejection.raw) > MAX_RAW_CHARACTERS:
            line["raw_cut"] = True
        # Half characters and bytes that fit no encoding are written as escapes, so that the file is always valid UTF-8.
        self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        self.count += 1

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_quarantine(path: Path) -> Iterator[Rejection]:
    """The rejections of one import, in order."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            kept = json.loads(line)
            yield Rejection(kept["file"], kept["row"], kept["reason"], kept["raw"])
