"""Original: the unchanged copy of a source inside the project, under the hash of its bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.errors import WorkbenchError
from pipelines.sources.locate import Source, arrow_files

_CHUNK_BYTES = 4 * 1024 * 1024


def copy_source(source: Source, folder: Path, copied: Callable[[int], None]) -> tuple[Source, str]:
    """The same source in `folder`, and its sha256: that of the file, or of all names and hashes of a folder.

    A streamed copy, never a link: what happens to the user's file later does not reach the project. `copied` hears the bytes done.
    """
    top = folder / (source.root.name or "source")
    hashes: list[tuple[str, str]] = []
    done = 0
    for path in _paths(source):
        inside = path.relative_to(source.root)
        try:
            sha256, size = _copy(path, top / inside, done, copied)
        except OSError as error:
            raise WorkbenchError(f"Cannot copy {path}: {error.strerror}. Check its permissions and the free space.") from error
        done += size
        hashes.append((inside.as_posix(), sha256))
    files = tuple(replace(file, path=top / file.path.relative_to(source.root)) for file in source.files)
    if source.root.is_dir():
        names = "".join(f"{name}\0{one}\n" for name, one in sorted(hashes))
        return replace(source, root=top, files=files), hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()
    return replace(source, root=top, files=files), hashes[0][1]


def _paths(source: Source) -> Iterator[Path]:
    for file in source.files:
        if file.is_saved_data_set:
            yield from (path for name in ("dataset_info.json", "state.json") if (path := file.path / name).is_file())
            yield from arrow_files(file.path)
        else:
            yield file.path
    described = source.root / "dataset_dict.json"
    if source.files[0].is_saved_data_set and described.is_file():
        yield described


def _copy(path: Path, target: Path, done: int, copied: Callable[[int], None]) -> tuple[str, int]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(_CHUNK_BYTES):
            digest.update(chunk)
            write.write(chunk)
            size += len(chunk)
            copied(done + size)
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest(), size
