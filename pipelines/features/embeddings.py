"""Embeddings: one vector per text, computed once per text and encoder, and kept on disk in parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import models
from pipelines.errors import WorkbenchError
from pipelines.features.encoders import MAX_UNKNOWN_SHARE, Encoder, choose_encoder, load_encoder, spell
from pipelines.store.tables import beside

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["choose_encoder", "encode"]
_READ_ROWS = 65_536


def encode(
    texts: Sequence[str] | pa.ChunkedArray | pa.Array,
    *,
    encoder: str,
    cache: Path,
    emit: Callable[..., None] = lambda **_: None,
) -> np.ndarray:
    """float32 vectors of length 1, one row per text, in order. Each different text is encoded once, ever, per cache and encoder.

    Vectors are kept as 16-bit numbers and always come from the cache, so that every call returns the same. An encoder reads the
    beginning of a long text (MiniLM: 256 tokens). A text that is mostly outside its vocabulary, such as Chinese for an English
    encoder, gets a vector of its spelling instead, because its meaning would be made up.
    """
    import numpy as np

    if encoder == models.STATIC_ENCODER and not models.is_prepared(encoder):
        emit(fraction=0.0, message="Preparing the fast encoder, once (a minute or two)")
    column = _as_column(texts)
    keys = _keys(column)
    folder = cache / _folder_name(encoder)
    different, first = np.unique(keys, return_index=True)
    known = np.concatenate([np.zeros(0, "S16"), *(np.load(path, allow_pickle=False) for path in _key_files(folder))])
    missing = np.sort(first[~np.isin(different, known)])
    if len(missing):
        emit(fraction=0.0, message=f"Loading the encoder {encoder}")
        _encode_missing(column, keys, missing, load_encoder(encoder), folder, emit)
    vectors = _gather(folder, keys)
    emit(fraction=1.0, message=f"{len(different):,} different texts have their vectors")
    return vectors


def _as_column(texts: Sequence[str] | pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    import pyarrow as pa

    if isinstance(texts, pa.ChunkedArray):
        return texts.cast(pa.large_string())
    if isinstance(texts, pa.Array):
        return pa.chunked_array([texts.cast(pa.large_string())])
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def _read(column: pa.ChunkedArray, rows: np.ndarray) -> list[str]:
    """The texts of the given rows (increasing numbers)."""
    import pyarrow as pa

    first = int(rows[0])
    return [text or "" for text in column.slice(first, int(rows[-1]) - first + 1).take(pa.array(rows - first)).to_pylist()]


def _keys(column: pa.ChunkedArray) -> np.ndarray:
    """16 bytes per text, equal only for equal texts (xxh3-128 of the UTF-8 bytes)."""
    import numpy as np
    import xxhash

    digests = [
        xxhash.xxh3_128_digest((text or "").encode())
        for start in range(0, len(column), _READ_ROWS)
        for text in column.slice(start, _READ_ROWS).to_pylist()
    ]
    return np.frombuffer(b"".join(digests), dtype="S16")


def _folder_name(encoder: str) -> str:
    """Readable, and different for a folder whose files changed."""
    import xxhash

    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", Path(encoder).name or encoder).strip("-.")[:60]
    identity = xxhash.xxh3_64(encoder.encode() if encoder not in (models.ENCODER, models.STATIC_ENCODER) else b"")
    source = Path(models.encoder(encoder))
    if source.is_dir():
        identity = xxhash.xxh3_64()
        for path in sorted(p for p in source.rglob("*") if p.is_file() and p.suffix in (".safetensors", ".bin", ".json", ".txt", ".model")):
            with path.open("rb") as file:  # the ends of a file of weights tell it from another
                identity.update(path.relative_to(source).as_posix().encode() + path.stat().st_size.to_bytes(8, "big") + file.read(1 << 20))
                file.seek(max(0, path.stat().st_size - (1 << 20)))
                identity.update(file.read())
    return f"{readable}-{identity.hexdigest()[:8]}"


def _key_files(folder: Path) -> list[Path]:
    """Of every finished part, in a fixed order."""
    return sorted(folder.glob("*.keys.npy"))


def _encode_missing(
    column: pa.ChunkedArray, keys: np.ndarray, missing: np.ndarray, encoder: Encoder, folder: Path, emit: Callable[..., None]
) -> None:
    import numpy as np

    done = 0
    for start in range(0, len(missing), encoder.part):
        rows = missing[start : start + encoder.part]
        texts = _read(column, rows)
        order = np.argsort([len(text) for text in texts], kind="stable")  # like lengths together: less padding
        encoded = []
        for batch in _batches(order, encoder.batch):
            encoded.append(_encode_batch(encoder, [texts[i] for i in batch]).astype(np.float16))
            done += len(batch)
            emit(fraction=done / len(missing), message=f"Encoded {done:,} of {len(missing):,} texts")
        _write_part(folder, keys[rows][order], np.concatenate(encoded))


def _batches(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _encode_batch(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """Vectors of length 1."""
    import numpy as np

    vectors = np.asarray(encoder.encode(texts), dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise WorkbenchError("The encoder returned numbers that are not finite. Choose another encoder, or run it in 32 bits.")
    foreign = [i for i, text in enumerate(texts) if not text.isascii()]
    shares = encoder.unknown_share([texts[i] for i in foreign])
    unreadable = {i for i, share in zip(foreign, shares, strict=True) if share > MAX_UNKNOWN_SHARE}
    unreadable |= set(np.flatnonzero(~vectors.any(axis=1)).tolist())
    if unreadable:
        rows = sorted(unreadable)
        vectors[rows] = spell([texts[i] for i in rows], vectors.shape[1])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _write_part(folder: Path, keys: np.ndarray, vectors: np.ndarray) -> None:
    """A part is there when its keys are: they are renamed into place last. Named by content, so that two writers cannot collide."""
    import numpy as np
    import xxhash

    folder.mkdir(parents=True, exist_ok=True)
    name = xxhash.xxh3_64_hexdigest(keys.tobytes())
    for kind, values in (("vectors", vectors), ("keys", keys)):
        with beside(folder / f"{name}.{kind}.npy", "wb") as file:
            np.save(file, values, allow_pickle=False)


def _gather(folder: Path, keys: np.ndarray) -> np.ndarray:
    """Vectors of all the keys, from memory-mapped parts. The first part in order wins where two hold the same text."""
    import numpy as np

    order = np.argsort(keys)
    ordered = keys[order]
    out: np.ndarray | None = None
    for path in reversed(_key_files(folder)):
        part_keys = np.load(path, allow_pickle=False)
        vectors = np.load(path.with_name(path.name.replace(".keys.", ".vectors.")), mmap_mode="r", allow_pickle=False)
        if out is None:
            out = np.zeros((len(keys), vectors.shape[1]), dtype=np.float32)
        begins, ends = np.searchsorted(ordered, part_keys, side="left"), np.searchsorted(ordered, part_keys, side="right")
        counts = ends - begins
        rows = order[np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())]
        out[rows] = vectors[np.repeat(np.arange(len(part_keys)), counts)]
    if out is None:
        return np.zeros((0, 0), dtype=np.float32)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return out
