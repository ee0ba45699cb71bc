"""Answer pairs: the same question, the expected answer, and what either model said, with what differs marked."""

from __future__ import annotations

import difflib
import json
import re
from html import escape
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import streamlit as st

from workbench.words import count

PAGE_PAIRS = 10
LONGEST_DIFF = 4_000
"""Longer answers are shown without marks: comparing them word by word would hold up the page."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_KINDS = {"all": "All", "gained": "Got better", "lost": "Got worse", "same": "No change"}


@st.cache_data(show_spinner=False, max_entries=8)
def _scores(path: str, created_at: str, metric: str) -> pd.DataFrame:
    """Scores of both models by row, in the order of the file."""
    columns = [f"before.{metric}", f"after.{metric}"]
    return pq.read_table(path, columns=columns).to_pandas().set_axis(["before", "after"], axis=1)


@st.cache_data(show_spinner=False, max_entries=16)
def _answers(path: str, created_at: str, rows: tuple[int, ...]) -> list[dict[str, str]]:
    table = pq.read_table(path, columns=["id", "prompt", "expected", "before", "after"])
    return table.take(list(rows)).to_pylist()


def answer_pairs(found: dict[str, Any]) -> None:
    """Draws the answers of an evaluation, ten on a page."""
    st.subheader("The answers", anchor=False)
    names = list(found["metrics"])
    left, right = st.columns([1, 2], gap="large", vertical_alignment="bottom")
    with left:
        metric = st.selectbox("Sorted by", names, format_func=lambda n: found["metrics"][n]["title"], key=f"pairs-metric-{found['id']}")
    scores = _scores(found["answers"], found["created_at"], metric)
    gain = (scores["after"] - scores["before"]) * (1 if found["metrics"][metric]["direction"] == "higher" else -1)
    rows_by_kind = {"all": gain.index, "gained": gain[gain > 0].index, "lost": gain[gain < 0].index, "same": gain[gain == 0].index}
    with right:
        kind = st.segmented_control(
            "Which", list(_KINDS), default="all", required=True, key=f"pairs-kind-{found['id']}", label_visibility="collapsed",
            format_func=lambda k: f"{_KINDS[k]} ({len(rows_by_kind[k]):,})",
        )  # fmt: skip
    rows = list(rows_by_kind[kind or "all"])
    if not rows:
        st.markdown("There is no such answer.")
        return
    pages = -(-len(rows) // PAGE_PAIRS)
    slot = st.container()
    page = st.pagination(pages, key=f"pairs-page-{found['id']}-{metric}-{kind}") if pages > 1 else 1
    with slot:
        for pair in _answers(found["answers"], found["created_at"], tuple(rows[(page - 1) * PAGE_PAIRS : page * PAGE_PAIRS])):
            with st.container(border=True):
                st.html(pair_html(pair))
    st.caption(f"{count(len(rows), 'row')}. Marked in an answer: what is not as expected.")


def pair_html(pair: dict[str, str]) -> str:
    """One question with three answers, as safe HTML."""
    columns = (
        ("Expected", pair["expected"], None),
        ("Before", pair["before"], pair["expected"]),
        ("After", pair["after"], pair["expected"]),
    )
    cells = "".join(f"<div><p class='where'>{title}</p>{answer_html(text, expected)}</div>" for title, text, expected in columns)
    question = f'<p class="where">Question</p><p class="words question">{escape(pair["prompt"])}</p>'
    return f'<div class="pair">{question}<div class="sides">{cells}</div></div>'


def answer_html(text: str, expected: str | None) -> str:
    """An answer; JSON as a list of its fields. What differs from the expected answer is marked."""
    fields, wanted = _fields(text), _fields(expected) if expected is not None else None
    if fields is not None and (expected is None or wanted is not None):
        return _fields_html(fields, wanted)
    if not text.strip():
        return '<p class="words"><em>(nothing)</em></p>'
    if wanted is not None:
        return f'<p class="note">Not in the form that was expected</p><p class="words">{escape(text)}</p>'
    if expected is None or len(text) + len(expected) > LONGEST_DIFF:
        return f'<p class="words">{escape(text)}</p>'
    return f'<p class="words">{_marked(text, expected)}</p>'


def _fields(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _fields_html(fields: dict[str, Any], wanted: dict[str, Any] | None) -> str:
    lines = []
    for name in fields if wanted is None else dict.fromkeys([*wanted, *fields]):
        shown = escape(_said(fields[name])) if name in fields else "<em>(missing)</em>"
        differs = wanted is not None and (name not in fields or name not in wanted or fields[name] != wanted[name])
        lines.append(f"<dt>{escape(name)}</dt><dd>{f'<mark>{shown}</mark>' if differs else shown}</dd>")
    return f"<dl>{''.join(lines)}</dl>"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _marked(text: str, expected: str) -> str:
    given, wanted = _WORD.findall(text), _WORD.findall(expected)
    parts = []
    for kind, start, end, _, _ in difflib.SequenceMatcher(None, given, wanted, autojunk=False).get_opcodes():
        words = escape("".join(given[start:end]))
        parts.append(words if kind == "equal" or not words.strip() else f"<mark>{words}</mark>")
    return "".join(parts)
