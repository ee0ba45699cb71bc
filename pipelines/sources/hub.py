"""Hub: rows of a data set on the Hugging Face hub, streamed."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import WorkbenchError
from pipelines.sources.rows import json_value

_SECONDS_TO_ANSWER = 5.0


def hub_rows(name: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Split, row number from 1 in the split, and value of each row. No code of the data set is run.

    Raises WorkbenchError when the hub cannot be reached or has no such data set.
    """
    _check_reach(name)
    import datasets

    try:
        splits = datasets.load_dataset(name, streaming=True)
        for split, rows in splits.items():
            names = {c: f.names for c, f in (rows.features or {}).items() if isinstance(f, datasets.ClassLabel)}
            for number, row in enumerate(rows, 1):
                value = {str(column): json_value(cell) for column, cell in row.items()}
                for column, labels in names.items():
                    label = value.get(column)
                    if isinstance(label, int) and 0 <= label < len(labels):
                        value[column] = labels[label]
                yield str(split), number, value
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        said = str(error).strip().split("\n", 1)[0].rstrip(".")
        raise WorkbenchError(f"The data set {name} cannot be read from the hub: {said}. Download it and import its files.") from error


def download(name: str, folder: Path, told: Callable[[int], None]) -> None:
    """Writes the rows of each split to <split>.jsonl in a folder. `told` hears the number of rows so far."""
    folder.mkdir(parents=True)
    files: dict[str, Any] = {}
    try:
        for count, (split, _, value) in enumerate(hub_rows(name), 1):
            if split not in files:
                files[split] = (folder / f"{split}.jsonl").open("w", encoding="utf-8", errors="backslashreplace")
            files[split].write(json.dumps(value, ensure_ascii=False) + "\n")
            if count % 1000 == 0:
                told(count)
    finally:
        for file in files.values():
            file.close()
    if not files:
        raise WorkbenchError(f"The data set {name} on the hub holds no rows. Choose another one.")


def _check_reach(name: str) -> None:
    """Says at once that there is no network, where the hub's own client tries for half a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise WorkbenchError(f"{name} is not here, and HF_HUB_OFFLINE forbids looking for it on the hub. Download it and import its files.")
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return
    address = urlsplit(constants.ENDPOINT)
    try:
        socket.create_connection((address.hostname or "", address.port or 443), timeout=_SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise WorkbenchError(
            f"There is no file or folder {name} here, and the hub cannot be reached to look for a data set of that name. "
            "Check the path or the network, or import files from this machine."
        ) from error
