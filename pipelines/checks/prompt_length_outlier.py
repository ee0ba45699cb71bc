"""Prompt length outlier: a prompt far shorter or longer than the prompts of the set."""

from __future__ import annotations

from pipelines.checks import Measurements, SetFeatures, check
from pipelines.checks._lengths import length_outliers


@check(
    title="Prompts of unusual length",
    unit="times the usual spread",
    group="length",
    severity="info",
    flag_above=5.0,
    scope="set",
    version=2,
)
def prompt_length_outlier(features: SetFeatures) -> Measurements:
    """How far the prompt's length is from the usual, as a multiple of how far lengths usually are from it.

    Very short prompts often lack their question, very long ones often hold a file pasted by mistake. Look at them, and complete or
    drop them. Beyond 5 is unusual: in ordinary sets it is none to two rows in a hundred. Not measured in sets of fewer than 50
    prompts.
    """
    return length_outliers(features.lengths("prompt"))
