"""System prompt variant: a system prompt that differs by a few characters from one that many rows share."""

from __future__ import annotations

from collections import Counter

from pipelines.checks import Evidence, Measurements, SetFeatures, check

_SHARED = 20
"""Rows that share a system prompt before it counts as one to keep to."""
_TIMES = 10
"""How much rarer a variant has to be than what it is a variant of."""
_ALIKE = 0.9
_SHOWN = 5
"""Differences that are pointed at."""
_MOST = 200
"""Shared system prompts that a rare one is compared with, most used first."""


@check(title="System prompts that nearly match the usual one", unit="similarity", group="structure", flag_above=_ALIKE, scope="set")
def system_prompt_variant(features: SetFeatures) -> Measurements:
    """How like the system prompt is to a far more common one that it differs from by a few characters, from 0 to 1.

    Two wordings of the same instructions teach the model that the wording does not matter, and split what belongs together here. Use the
    common wording, unless the difference is meant.

    A common one is shared by 20 rows or more, and by ten times as many as the variant; the 200 most common are looked at. The value is the
    share of characters the two have in common, in order (longest common subsequence, twice its length over both lengths); 0 for the common
    ones and for those that are like none of them. Not measured for rows without a system prompt.
    """
    import pyarrow.compute as pc

    encoded = pc.dictionary_encode(pc.fill_null(features.column("system"), "")).unify_dictionaries().combine_chunks()
    texts, numbers = encoded.dictionary.to_pylist(), encoded.indices.to_pylist()
    rows = Counter(numbers)
    common = {texts[number]: times for number, times in rows.most_common(_MOST) if times >= _SHARED and texts[number].strip()}
    nearest = {number: _nearest(texts[number], times, common) for number, times in rows.items()}
    values = [nearest[number][1] if texts[number].strip() else None for number in numbers]
    evidence: list[tuple[Evidence, ...]] = [()] * len(numbers)
    for row, (number, value) in enumerate(zip(numbers, values, strict=True)):
        if value:
            usual = nearest[number][0]
            first = features.column("messages")[row][0].as_py()
            is_one_turn = first["role"] == "system" and first["content"] == texts[number]
            evidence[row] = _differences(usual, texts[number], common[usual], has_spans=is_one_turn)
    return Measurements(values, evidence)


def _nearest(text: str, times: int, common: dict[str, int]) -> tuple[str, float]:
    """The most similar text that is far more common, and its similarity; 0 where none is above the threshold."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    others = [other for other, other_times in common.items() if other != text and other_times >= _TIMES * times]
    found = process.extractOne(text, others, scorer=Indel.normalized_similarity, score_cutoff=_ALIKE)
    return (found[0], float(found[1])) if found else ("", 0.0)


def _differences(usual: str, text: str, times: int, *, has_spans: bool) -> tuple[Evidence, ...]:
    from rapidfuzz.distance import Levenshtein

    found = []
    for step in Levenshtein.opcodes(usual, text):
        if step.tag == "equal":
            continue
        instead = usual[step.src_start : step.src_end]
        note = f"{times:,} rows have “{instead}” here" if instead else f"{times:,} rows do not have this"
        if has_spans and step.dest_end > step.dest_start:
            found.append(Evidence(0, step.dest_start, step.dest_end, note=note))
        else:
            found.append(Evidence(note=f"{note} (character {step.dest_start + 1} of the system prompt)"))
    return tuple(found[:_SHOWN])
