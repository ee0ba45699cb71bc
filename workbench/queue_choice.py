"""Queue choice: the row of fields that says which rows are reviewed. The URL holds the choice, so a link shows the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import streamlit as st

from pipelines.curation.issues import cluster_names
from pipelines.curation.queue import Order, Queue, State
from pipelines.records import content_hash
from pipelines.store.project import Project
from workbench import queries
from workbench.words import VERDICT_WORDS

STATE_WORDS: dict[State, str] = {
    "undecided": VERDICT_WORDS[None],
    "all": "All",
    "keep": VERDICT_WORDS["keep"],
    "drop": VERDICT_WORDS["drop"],
    "flag": VERDICT_WORDS["flag"],
}
ORDER_WORDS: dict[Order, str] = {"worst": "Worst first", "random": "Random order", "import": "As imported"}
_SHOWN = "review-fields"
"""Session state: the queue that the fields show, and a number for each time that it was changed elsewhere."""
_KEPT = ("project",)
"""URL parameters that are not the queue's."""
_ALL: dict[str, Any] = {"check": "", "cluster": -1}
"""What a field holds for "no limit": Streamlit shows a choice of None as no choice."""


def open_queue(queue: Queue) -> None:
    """Makes a queue the one of the URL. The page shows it on its next run."""
    kept = {name: st.query_params[name] for name in _KEPT if name in st.query_params}
    st.query_params.from_dict(kept | queue.to_query())


def choose_queue(project: Project, queue: Queue) -> None:
    """Draws the fields. Each shows how many rows its choices hold."""
    _renew_if_changed_elsewhere(queue)
    root, revision = str(project.folder), project.revision
    check, cluster, state, order, search = st.columns([3.2, 2.4, 1.9, 1.7, 2.4], gap="small", vertical_alignment="bottom")
    with check:
        rows_by_check = _checks(root, revision, queue)
        _select("Issue", "check", list(rows_by_check), rows_by_check, queue)
    with cluster:
        rows_by_cluster = _clusters(project, queue)
        _select("Topic", "cluster", list(rows_by_cluster), rows_by_cluster, queue)
    with state:
        _select("State", "state", list(get_args(State)), _states(root, revision, queue), queue)
    with order:
        _select("Order", "order", list(get_args(Order)), dict(ORDER_WORDS), queue)
    with search:
        st.text_input(
            "Search", key=_key("search", "", queue), placeholder="Search question and answer", label_visibility="collapsed",
            icon=":material/search:", on_change=_changed, args=(queue, "search", _key("search", "")),
        )  # fmt: skip


def _renew_if_changed_elsewhere(queue: Queue) -> None:
    """Draws new fields where the queue was not chosen by them, but on the card or by a link.

    The card may send a message before the browser has heard of the change. It brings what all fields held before, and in the same fields
    that would be a choice: the queue would be changed back.
    """
    shown, generation = st.session_state.get(_SHOWN, (None, 0))
    if shown != queue:
        st.session_state[_SHOWN] = (queue, generation + 1)


def _select(label: str, name: str, options: list[Any], words: dict[Any, str], queue: Queue) -> None:
    # Streamlit sends a choice by its words and keeps it as they were: with the words in the key, new counts make a new field.
    of_words = content_hash([words[option] for option in options])[:12]
    st.selectbox(
        label, options, key=_key(name, of_words, queue), format_func=lambda option: words[option],
        label_visibility="collapsed", on_change=_changed, args=(queue, name, _key(name, of_words)),
    )  # fmt: skip


def _key(name: str, of_words: str, queue: Queue | None = None) -> str:
    """The key of a field; with a queue, the field shows the queue's value: the URL is the truth, also after a link or the back button."""
    key = f"review-{name}-{of_words}-{st.session_state[_SHOWN][1]}"
    if queue is not None:
        value = getattr(queue, name)
        st.session_state[key] = _ALL[name] if value is None else value
    return key


def _changed(queue: Queue, name: str, key: str) -> None:
    value = st.session_state[key]
    change: dict[str, Any] = {name: None if name in _ALL and value == _ALL[name] else value}
    chosen = replace(queue, **change)
    st.session_state[_SHOWN] = (chosen, st.session_state[_SHOWN][1])
    open_queue(chosen)


def _checks(root: str, revision: str, queue: Queue) -> dict[str, str]:
    table = queries.issue_table(root, revision)
    column = "undecided" if queue.state == "undecided" else "flagged"
    words: dict[str, str] = {_ALL["check"]: "All rows"}
    for row in table.to_dict("records"):
        if row[column] or row["check"] == queue.check:
            words[row["check"]] = f"{row['title']} · {row[column]:,}"
    if queue.check is not None and queue.check not in words:
        words[queue.check] = f"{queue.check} · switched off"
    return words


def _clusters(project: Project, queue: Queue) -> dict[int, str]:
    words: dict[int, str] = {_ALL["cluster"]: "All topics"}
    words |= {topic["cluster"]: f"{topic['name']} · {topic['size']:,}" for topic in cluster_names(project)}
    if queue.cluster is not None and queue.cluster not in words:
        words[queue.cluster] = f"Topic {queue.cluster} · 0"
    return words


def _states(root: str, revision: str, queue: Queue) -> dict[State, str]:
    everything = Queue(state="all")
    if replace(queue, state="all", order="worst", seed=0) == everything:
        totals = queries.overview(root, revision)
        rows = {"all": totals["records"], "keep": totals["keep"], "drop": totals["drop"], "flag": totals["flag"]}
        rows["undecided"] = rows["all"] - rows["keep"] - rows["drop"] - rows["flag"]
    else:
        rows = {state: queries.matches(root, revision, replace(queue, state=state, order="worst", seed=0)) for state in STATE_WORDS}
    return {state: f"{words} · {rows[state]:,}" for state, words in STATE_WORDS.items()}
