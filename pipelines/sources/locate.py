"""Source: what the user named, found: the files to read, in order, and the files left alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import WorkbenchError
from pipelines.sources.packed import ENDINGS, without_packing

READABLE = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods")
"""Endings that are read inside a folder, also with that of a compression behind. A file named alone is read whatever its ending."""
ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tzst")
"""Endings of archives, whose files are read like those of a folder: see archive.py."""
_ABOUT_THE_DATA = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}
_HUB_NAME = re.compile(r"(?:hf://(?:datasets/)?)?(?P<id>[\w.-]+/[\w.-]+)/?\Z")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source, or one split of a saved data set."""

    path: Path
    name: str
    """What provenance calls it: the path inside the source."""
    size: int
    """Bytes on disk."""
    is_saved_data_set: bool = False
    """Whether path is a folder that the `datasets` library saved."""


@dataclass(frozen=True, slots=True)
class Source:
    """A local source: one file, or all the files of a folder."""

    name: str
    root: Path
    """The file or the folder that was named."""
    files: tuple[SourceFile, ...]
    not_read: tuple[str, ...] = ()
    """Files of the folder whose ending says that they hold no rows."""
    left_out: tuple[str, ...] = ()
    """What else of the folder is not read, each with its reason."""

    @property
    def size(self) -> int:
        """Bytes on disk of all its files."""
        return sum(file.size for file in self.files)


def hub_id(source: str | Path) -> str | None:
    """The `org/name` of a data set on the Hugging Face hub, or None when the source is a local path."""
    text = str(source)
    found = _HUB_NAME.match(text)
    if not found or isinstance(source, Path):
        return None
    if text.startswith("hf://"):
        return found["id"]
    looks_like_file = is_readable(text) or is_archive(text)
    return None if looks_like_file or text.startswith(".") or Path(text).exists() else found["id"]


def is_readable(name: str) -> bool:
    """Whether a file's name says that it holds rows."""
    return without_packing(name).endswith(READABLE) and name.rsplit("/", 1)[-1] not in _ABOUT_THE_DATA


def is_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive of files."""
    return without_packing(name).endswith(ARCHIVES)


def locate(source: str | Path, *, without: Path | None = None) -> Source:
    """The files of a local source. Raises WorkbenchError when there is nothing to read.

    `without` is a folder to leave out: the project's own, when it lies inside the source.
    """
    if not str(source).strip():
        raise WorkbenchError("No source was named. Name a file, a folder or a data set of the hub.")
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _locate_folder(path.resolve(), without)
        if not path.exists():
            raise WorkbenchError(f"There is no file or folder {path}. Check the path.")
        if not path.is_file():
            raise WorkbenchError(f"{path} is neither a file nor a folder. Save its rows to a file first.")
        with path.open("rb"):
            pass
        size = path.stat().st_size
    except OSError as error:
        raise WorkbenchError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from error
    if size == 0:
        raise WorkbenchError(f"{path.name} is empty: it holds no rows. Choose another file.")
    return Source(path.name, path, (SourceFile(path, _printable(path.name), size),))


def _locate_folder(folder: Path, without: Path | None) -> Source:
    saved = _saved_data_set(folder)
    if saved:
        return Source(folder.name, folder, saved)
    files, not_read, left_out = [], [], []
    for path in _walk(folder, without):
        name = _printable(path.relative_to(folder).as_posix())
        if path.is_dir():
            left_out.append(f"{name}: not read, it is a Winnow project")
        elif not path.resolve().is_relative_to(folder):
            left_out.append(f"{name}: not read, it is a link out of the folder")
        elif is_readable(name) or is_archive(name):
            files.append(SourceFile(path, name, path.stat().st_size))
        else:
            not_read.append(name)
    if not files:
        raise WorkbenchError(
            f"The folder {folder} holds no file that can be read. It needs files ending in {', '.join(READABLE)} "
            f"(or these with {', '.join(ENDINGS)} behind), or archives ending in {', '.join(ARCHIVES[:3])}."
        )
    if not any(file.size for file in files):
        raise WorkbenchError(f"All {len(files)} files of the folder {folder} are empty. Choose another folder.")
    return Source(folder.name, folder, tuple(files), tuple(not_read), tuple(left_out))


def _walk(folder: Path, without: Path | None) -> Iterator[Path]:
    """The files of a folder and of those inside it, and the folders that are other projects, unopened."""

    def stop(error: OSError) -> None:
        raise error

    for here, folders, names in os.walk(folder, onerror=stop):
        seen = sorted(name for name in folders if not name.startswith(".") and Path(here, name) != without)
        projects = {name for name in seen if Path(here, name, "project.db").is_file()}
        folders[:] = [name for name in seen if name not in projects]
        yield from (Path(here, name) for name in sorted(projects))
        for name in sorted(names):
            path = Path(here, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _saved_data_set(folder: Path) -> tuple[SourceFile, ...]:
    """The splits of a folder that `datasets` saved; none for any other folder."""
    try:
        splits = json.loads((folder / "dataset_dict.json").read_text("utf-8"))["splits"]
    except FileNotFoundError:
        names = _arrow_files(folder)
        return (SourceFile(folder, folder.name, _size(folder, names), True),) if names else ()
    except (ValueError, KeyError) as error:
        raise WorkbenchError(f"{folder / 'dataset_dict.json'} is damaged. Save the data set again with save_to_disk.") from error
    return tuple(SourceFile(folder / split, split, _size(folder / split, _arrow_files(folder / split)), True) for split in splits)


def _arrow_files(split: Path) -> list[str]:
    try:
        return [part["filename"] for part in json.loads((split / "state.json").read_text("utf-8"))["_data_files"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise WorkbenchError(f"{split / 'state.json'} is damaged. Save the data set again with save_to_disk.") from error


def arrow_files(split: Path) -> list[Path]:
    """The Arrow files of one saved split, in the order of its rows. Raises WorkbenchError when one is missing."""
    paths = [split / name for name in _arrow_files(split)]
    for path in paths:
        if path.parent != split or not path.is_file():
            raise WorkbenchError(f"The saved data set {split} lacks its file {path.name}. Save it again with save_to_disk.")
    return paths


def _size(split: Path, names: list[str]) -> int:
    return sum((split / name).stat().st_size for name in names if (split / name).is_file())


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
