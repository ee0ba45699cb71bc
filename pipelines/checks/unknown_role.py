"""Unknown role: a turn by somebody a chat template does not know."""

from __future__ import annotations

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._turns import Findings
from pipelines.records import ROLES


@check(title="Turns with an unknown role", unit="turns", group="structure", severity="error", flag_above=0)
def unknown_role(batch: Batch) -> Measurements:
    """Number of turns whose role is not one of system, user, assistant and tool.

    A chat template does not know such a turn: training stops or leaves it out. Map the role when importing, or drop the row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    turns = batch.turns.select(["record", "turn", "role"])
    odd = turns.filter(pc.invert(pc.is_in(turns.column("role"), value_set=pa.array(ROLES))))
    found = Findings(len(batch))
    for record, turn, role in zip(*(column.to_pylist() for column in odd.columns), strict=True):
        found.add(record, Evidence(turn, note=f'the role "{role}" is not one of {", ".join(ROLES)}'))
    return found.measurements()
