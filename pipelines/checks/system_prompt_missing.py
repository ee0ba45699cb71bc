"""Missing system prompt: a conversation without one in a set where nearly all have one."""

from __future__ import annotations

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._majority import FEWEST_RECORDS, wilson_low


@check(title="System prompts missing", unit="certainty", group="structure", flag_above=0.8, scope="set")
def system_prompt_missing(features: SetFeatures) -> Measurements:
    """How surely conversations of this set begin with a system prompt, where this one has none, from 0 to 1.

    The model learns this behaviour for calls without the instructions too, and the instructions lose some of their hold. Add the system
    prompt that such rows usually have, or drop them.

    The value is the lower end of the 95 % interval of the share of rows with a system prompt, where 20 rows or more say; 0 for rows that
    have one.
    """
    import numpy as np
    import pyarrow.compute as pc

    has_one = np.asarray(pc.match_substring_regex(pc.fill_null(features.column("system"), ""), r"\S"))
    total, times = len(has_one), int(has_one.sum())
    certainty = float(wilson_low(np.array([times]), np.array([total]))[0]) if total >= FEWEST_RECORDS else 0.0
    values: list[float | None] = np.where(has_one, 0.0, certainty).tolist()
    note = f"{100 * times / max(total, 1):.0f} % of the rows have a system prompt; this one has none"
    spot = (Evidence(note=note),)
    is_rule = times > total / 2
    return Measurements(values, [spot if value and is_rule else () for value in values])
