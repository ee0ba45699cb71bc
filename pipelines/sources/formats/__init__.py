"""Formats: the ways to write training examples that are recognised, the most telling first."""

from __future__ import annotations

from pipelines.sources.formats.alpaca import ALPACA
from pipelines.sources.formats.alternating import ALTERNATING
from pipelines.sources.formats.classification import CLASSIFICATION
from pipelines.sources.formats.context_qa import CONTEXT_QA
from pipelines.sources.formats.format import Format
from pipelines.sources.formats.message_tree import MESSAGE_TREE
from pipelines.sources.formats.nested_qa import NESTED_QA
from pipelines.sources.formats.openai import OPENAI
from pipelines.sources.formats.preference import PREFERENCE
from pipelines.sources.formats.prompt_completion import PROMPT_COMPLETION
from pipelines.sources.formats.qa import QA
from pipelines.sources.formats.ranked_preference import RANKED_PREFERENCE
from pipelines.sources.formats.rendered import RENDERED
from pipelines.sources.formats.self_instruct import SELF_INSTRUCT
from pipelines.sources.formats.sharegpt import SHAREGPT
from pipelines.sources.formats.unpaired_preference import UNPAIRED_PREFERENCE

FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        PREFERENCE,
        RANKED_PREFERENCE,
        UNPAIRED_PREFERENCE,
        OPENAI,
        SHAREGPT,
        ALTERNATING,
        MESSAGE_TREE,
        NESTED_QA,
        SELF_INSTRUCT,
        ALPACA,
        CONTEXT_QA,
        QA,
        RENDERED,
        PROMPT_COMPLETION,
        CLASSIFICATION,
    )
}
"""By name. A row that has the columns of several is of the first."""
