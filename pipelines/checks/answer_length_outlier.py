"""Answer length outlier: an answer far shorter or longer than the answers of the set."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._lengths import length_outliers


@check(title="Answers of unusual length", unit="times the usual spread", group="length", flag_above=4.0, scope="set", version=2)
def answer_length_outlier(features: SetFeatures) -> Measurements:
    """How far the answer's length is from the usual, as a multiple of how far lengths usually are from it.

    Very short answers are often cut off or empty phrases, very long ones often run on. Look at them: complete, shorten or drop them.
    Beyond 4 is unusual: in ordinary sets it is none to one row in a hundred. Not measured in sets of fewer than 50 answers.
    """
    return length_outliers(features.lengths("answer"))
