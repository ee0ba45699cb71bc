"""Identical preference: a pair whose wanted and unwanted answers are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.checks import Batch, Evidence, Measurements, check

if TYPE_CHECKING:
    import pyarrow as pa


@check(title="Pairs of the same two answers", unit="pairs", group="structure", severity="error", flag_above=0)
def identical_preference(batch: Batch) -> Measurements:
    """1 when the wanted and the unwanted answer of a preference pair are the same, apart from spaces around them; else 0.

    There is nothing to prefer, so the row teaches nothing. Put the right unwanted answer in, or drop the row. Measured for preference
    pairs only.
    """
    import numpy as np
    import pyarrow.compute as pc

    is_pair = np.asarray(pc.equal(batch.column("kind"), "preference"))
    same = np.asarray(pc.equal(_text(batch.column("chosen")), _text(batch.column("rejected"))))
    values = [float(equal) if pair else None for pair, equal in zip(is_pair, same, strict=True)]
    return Measurements(values, [(Evidence(note="both answers are the same"),) if value else () for value in values])


def _text(turns: pa.ChunkedArray) -> pa.ChunkedArray:
    """The contents of each record's turns, joined."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    joined = []
    for chunk in turns.chunks:
        lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy(zero_copy_only=False)
        offsets = pa.array(np.r_[0, np.cumsum(lengths)], pa.int32())
        contents = pc.utf8_trim_whitespace(pc.struct_field(pc.list_flatten(chunk), "content"))
        joined.append(pc.binary_join(pa.ListArray.from_arrays(offsets, contents), "\n"))
    return pa.chunked_array(joined, pa.string())
