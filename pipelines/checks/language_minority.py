"""Language minority: a prompt in another language than most prompts of the set."""

from __future__ import annotations

from collections import Counter

from pipelines.checks import Evidence, Measurements, SetFeatures, check
from pipelines.checks._languages import Language, parts_in

_FEWEST_RECORDS = 20
_MOST = 0.6


@check(
    title="Prompts in another language than the set",
    unit="certainty",
    group="language",
    flag_above=0.8,
    scope="set",
    needs=("prompt_languages",),
)
def language_minority(features: SetFeatures) -> Measurements:
    """How surely the prompt is in another language than most prompts of the set, from 0 (the same) to 1.

    The model would learn to speak that language too, from few examples. Translate the row or drop it, unless it is to serve that
    language. A foreign text with a line in the usual language, such as "Translate this:", counts 0. Not measured for prompts too
    short to tell, and where no language has 60 % of the prompts or fewer than 20 prompts can be told.
    """
    prompts = features.column("prompt")
    codes, scores = (features.prompt_languages.column(name).to_pylist() for name in ("code", "score"))
    counts = Counter(code for code in codes if code is not None)
    usual, most = counts.most_common(1)[0] if counts else ("", 0)
    if counts.total() < _FEWEST_RECORDS or most < _MOST * counts.total():
        return Measurements([None] * len(codes))
    share = f"{100 * most / counts.total():.0f} % of the prompts are {Language(usual, 1.0).name}"
    values: list[float | None] = [None if code is None else 0.0 for code in codes]
    evidence: list[tuple[Evidence, ...]] = [()] * len(codes)
    for i, code in enumerate(codes):
        if code is not None and code != usual and not parts_in(prompts[i].as_py(), usual):
            values[i], evidence[i] = scores[i], (Evidence(note=f"{Language(code, 1.0).name}; {share}"),)
    return Measurements(values, evidence)
