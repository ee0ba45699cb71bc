"""Queue fields: the filter of the page Explore. The URL holds it, so that a link shows the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import streamlit as st

from pipelines.curation.issues import cluster_names
from pipelines.curation.queue import Order, Queue, State
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project
from workbench import queries
from workbench.queue_choice import ORDER_WORDS, STATE_WORDS, open_queue
from workbench.words import escaped


def queue_of_url() -> Queue:
    """The filter in the URL; all rows when there is none. A damaged link becomes a sentence and all rows."""
    try:
        queue = Queue.from_query({"state": "all", "order": "import"} | st.query_params.to_dict())
    except WorkbenchError as error:
        st.warning(escaped(error), icon=":material/warning:")
        return Queue(state="all", order="import")
    return queue


def queue_fields(project: Project, queue: Queue) -> None:
    """Draws the fields; a change is written to the URL."""
    topics = {c["cluster"]: f"{c['name']} · {c['size']:,}" for c in cluster_names(project)}
    table = queries.issue_table(str(project.folder), project.revision)
    found = {row["check"]: f"{row['title']} · {row['flagged']:,}" for row in table.to_dict("records") if row["flagged"]}
    for name in ("search", "check", "cluster", "state", "order"):  # the URL is the truth: the fields show it
        st.session_state[f"explore-{name}"] = getattr(queue, name)
    search, check, cluster, state, order = st.columns([3, 2.4, 2.4, 1.4, 1.5], gap="small")
    with search:
        st.text_input(
            "Search",
            key="explore-search",
            placeholder="Words in the question or answer",
            icon=":material/search:",
            on_change=_changed,
            args=(queue, "search"),
        )
    with check:
        _select("Finding", "check", [None, *found], {None: "Any or none"} | found, queue)
    with cluster:
        _select("Topic", "cluster", [None, *topics], {None: "All topics"} | topics, queue)
    with state:
        _select("Decision", "state", list(get_args(State)), dict(STATE_WORDS), queue)
    with order:
        _select("Order", "order", list(get_args(Order)), dict(ORDER_WORDS), queue)


def _select(label: str, name: str, options: list[Any], words: dict[Any, str], queue: Queue) -> None:
    value = getattr(queue, name)
    if value not in options:
        options, words = [*options, value], words | {value: f"{value} · 0"}
    st.selectbox(
        label,
        options,
        key=f"explore-{name}",
        format_func=lambda option: words[option],
        on_change=_changed,
        args=(queue, name),
        placeholder=words.get(None),
    )


def _changed(queue: Queue, name: str) -> None:
    changed = replace(queue, **{name: st.session_state[f"explore-{name}"]})
    open_queue(changed)
    for name_at_default in ("state", "order"):  # this page begins with all rows in import order, the review page does not
        st.query_params[name_at_default] = getattr(changed, name_at_default)
