"""Excerpt: the words around a finding, as safe HTML: text from the data is escaped and never interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from workbench.words import VERDICT_WORDS

ROLE_WORDS = {"system": "Instructions", "user": "Question", "assistant": "Answer", "tool": "Tool"}


def excerpt_html(example: Mapping[str, Any]) -> str:
    """One example of `pipelines.curation.report`: where it is, the words found marked, what it is compared with."""
    where = f"{example['file']}, row {example['row']:,}" if example["file"] else ""
    verdict = VERDICT_WORDS.get(example["verdict"]) if example["verdict"] else ""
    top = " · ".join(escape(part) for part in (where, ROLE_WORDS.get(example["role"], example["role"]), verdict) if part)
    found = f"<mark>{escape(example['found'])}</mark>" if example["found"] else ""
    words = f"{escape(example['before'])}{found}{escape(example['after'])}"
    note = f'<p class="note">{escape(example["note"])}</p>' if example["note"] else ""
    return f'<article class="excerpt"><p class="where">{top}</p><p class="words">{words}</p>{note}{_other(example["other"])}</article>'


def _other(other: Mapping[str, Any] | None) -> str:
    if other is None:
        return ""
    where = f"{other['file']}, row {other['row']:,}" if other["file"] else "another row"
    return f'<p class="where">Compare with {escape(where)}</p><p class="words other">{escape(other["text"])}</p>'
