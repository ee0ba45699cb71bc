"""Archive: a ZIP or tar file, whose members are read like the files of a folder."""

from __future__ import annotations

import lzma
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal

from pipelines.errors import WorkbenchError
from pipelines.sources.locate import Source, SourceFile, is_archive, is_readable
from pipelines.sources.packed import MAX_RATIO, MIN_BOMB_BYTES, open_bytes
from pipelines.sources.rows import Rejection
from pipelines.sources.workbook import is_workbook

MAX_MEMBERS = 100_000
FREE_BYTES_KEPT = 1024**3
"""What unpacking leaves free on the disk, so that the import itself and everything else there can go on."""
_CHUNK_BYTES = 1024 * 1024
_DRIVE = re.compile(r"[A-Za-z]:")
_BREAKS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, ValueError)
Member = tuple[str, "BinaryIO | str"]
"""A member's name and its bytes, or the sentence that says why it is not read."""


class Opened:
    """The files of a source with those of its archives, one at a time: a member is unpacked into `folder` when it is reached.

    What cannot be read is given out as a rejection; `not_read` fills with the names of members whose ending says that they hold no rows.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self.not_read: list[str] = []
        self._unpacked = 0

    def __iter__(self) -> Iterator[SourceFile | Rejection]:
        for file in self.source.files:
            yield from self._opened(file, depth=0)

    def _opened(self, file: SourceFile, depth: int) -> Iterator[SourceFile | Rejection]:
        kind = None if file.is_saved_data_set else archive_kind(file.path)
        if kind is None:
            yield file
        elif depth > 1:
            yield Rejection(file.name, 0, "It is an archive in an archive in an archive. Unpack the outer ones and import what they hold.")
        else:
            yield from self._members(file, kind, depth)

    def _members(self, file: SourceFile, kind: Literal["zip", "tar"], depth: int) -> Iterator[SourceFile | Rejection]:
        found, names = 0, set[str]()
        limit = _Limit(file, self.folder)
        try:
            for count, (inside, content) in enumerate(_zip_members(file.path) if kind == "zip" else _tar_members(file.path), 1):
                name = _free(f"{file.name}/{_printable(inside)}", names)
                if count > MAX_MEMBERS:
                    yield Rejection(file.name, 0, f"It holds more than {MAX_MEMBERS:,} files. Put the rows into fewer files.")
                    return
                problem = content if isinstance(content, str) else _path_problem(inside)
                if _is_hidden(inside):
                    continue
                if not problem and not is_readable(inside) and not is_archive(inside):
                    self.not_read.append(name)
                    continue
                found += 1
                if problem or isinstance(content, str):
                    yield Rejection(name, 0, str(problem))
                    continue
                self._unpacked += 1
                target = self.folder / f"{self._unpacked:06d}" / Path(inside).name[-100:]
                try:
                    size = limit.unpack(content, target)
                except WorkbenchError as error:
                    yield Rejection(file.name, 0, str(error))
                    return
                except (*_BREAKS, RuntimeError) as error:
                    yield Rejection(name, 0, f"It is damaged in the archive ({_first_line(error)}). Pack it again.")
                    continue
                yield from self._opened(SourceFile(target, name, size), depth + 1)
        except _BREAKS as error:
            yield Rejection(file.name, 0, f"The archive is damaged ({_first_line(error)}). Pack it again; what stands before was read.")
            return
        if not found:
            yield Rejection(
                file.name, 0, "The archive holds no file that can be read. Pack files of rows: JSONL, JSON, CSV, Excel or Parquet."
            )


class _Limit:
    """How much the members of one archive may hold together."""

    def __init__(self, file: SourceFile, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.by_ratio = max(MIN_BOMB_BYTES, MAX_RATIO * file.size)
        self.by_disk = shutil.disk_usage(folder).free - FREE_BYTES_KEPT
        self.done = 0

    def unpack(self, content: BinaryIO, target: Path) -> int:
        """Writes a member's bytes and returns their number. Raises WorkbenchError, and leaves nothing of it, when they are too many."""
        target.parent.mkdir(parents=True)
        size = 0
        try:
            with content, target.open("wb") as file:
                while chunk := content.read(_CHUNK_BYTES):
                    size += len(chunk)
                    self._check(self.done + size)
                    file.write(chunk)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        self.done += size
        return size

    def _check(self, size: int) -> None:
        if size > self.by_ratio:
            raise WorkbenchError(f"The archive grows to more than {MAX_RATIO:,} times its size. Unpack it and import what it holds.")
        if size > self.by_disk:
            raise WorkbenchError("There is not enough free disk to unpack the rest of the archive. Free some and import it again.")


def without_archives(opened: Opened) -> Source:
    """The same source with the files of its archives in their place, all unpacked. What cannot be read is left out."""
    files = tuple(file for file in opened if isinstance(file, SourceFile))
    return replace(opened.source, files=files)


def archive_kind(path: Path) -> Literal["zip", "tar"] | None:
    """What archive a file is, judged by what it holds; None for any other file, a workbook among them."""
    with open_bytes(path) as stream:
        start = stream.read(512)
    if start[257:262] == b"ustar":
        return "tar"
    with path.open("rb") as file:
        is_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    return "zip" if is_zip and not is_workbook(path) else None


def _zip_members(path: Path) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(path)
    except NotImplementedError as error:
        raise zipfile.BadZipFile(str(error)) from error
    with archive:
        for member in archive.infolist():
            if member.filename.endswith("/"):
                continue
            if member.flag_bits & 1:
                yield member.filename, "It is protected by a password. Pack it without one."
            elif (member.external_attr >> 16) & 0o170000 == 0o120000:
                yield member.filename, "It is a link and not a file. Pack the file itself."
            else:
                try:
                    content = archive.open(member)
                except NotImplementedError:
                    yield member.filename, "It is packed in a way that cannot be read. Pack it as an ordinary ZIP archive."
                except (zipfile.BadZipFile, OSError, ValueError) as error:
                    yield member.filename, f"It is damaged in the archive ({_first_line(error)}). Pack it again."
                else:
                    yield member.filename, content  # type: ignore[misc] # zipfile calls its stream IO[bytes]


def _tar_members(path: Path) -> Iterator[Member]:
    with open_bytes(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isfile():
                content = archive.extractfile(member)
                yield member.name, content if content else "It cannot be read. Pack it again."  # type: ignore[misc] # as above
            elif member.issym() or member.islnk():
                yield member.name, "It is a link and not a file. Pack the file itself."
            elif not member.isdir():
                yield member.name, "It is a device and not a file. Take it out of the archive."


def _path_problem(name: str) -> str | None:
    if not name:
        return "It has no name in the archive. Pack it again."
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in parts or "\x00" in name:
        return "Its path leads out of the archive. Pack it with a path inside."
    return None


def _is_hidden(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in parts)


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number behind when the archive holds it twice."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free


def _printable(name: str) -> str:
    plain = "/".join(part for part in name.split("/") if part != ".")
    return plain.replace("\x00", "").encode("utf-8", "backslashreplace").decode("utf-8")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
