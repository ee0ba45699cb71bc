"""UTF-8: the bytes of a text column where Arrow keeps them, for the compiled loops of `pipelines.features.kernels`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Utf8:
    """Texts as bytes of one buffer."""

    letters: np.ndarray
    starts: np.ndarray
    stops: np.ndarray


def utf8(texts: pa.ChunkedArray) -> Utf8:
    """The bytes of each text; a missing text is empty. Nothing is copied when the column is in one piece."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = texts.chunk(0) if texts.num_chunks == 1 else pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], texts.type)
    if column.null_count:
        column = pc.fill_null(column, "")
    _, offset_buffer, byte_buffer = column.buffers()
    kind = np.int64 if pa.types.is_large_string(column.type) else np.int32
    offsets = np.frombuffer(offset_buffer, kind)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    if len(offsets) == 0:
        offsets = np.zeros(1, np.int64)
    letters = np.frombuffer(byte_buffer if byte_buffer is not None else b"", np.uint8)
    letters.setflags(write=False)  # one kind of array means one compilation
    return Utf8(letters, offsets[:-1], offsets[1:])
