"""Review: rows one at a time, each decided by one key."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pipelines.curation.queue import Queue
from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.store.project import Project
from workbench import pages, queries
from workbench.components.review_card import mount_card, mount_engine
from workbench.context import reviewer
from workbench.frame import project_with_rows
from workbench.queue_choice import choose_queue, open_queue
from workbench.review_queue import ReviewSession
from workbench.words import count, escaped

_STYLE = """
.stMainBlockContainer { padding-bottom: 1rem; }
.stElementContainer:has(.stBidiComponent) { opacity: 1 !important; transition: none !important; }
"""
# The second rule: Streamlit fades what a run has not reached yet, and every answer to the card is a run.


def page() -> None:
    """Draws the page."""
    project = project_with_rows("Review")
    if project is None:
        return
    st.html(f"<style>{_STYLE}</style>")
    with st.container(key="wide-page", gap="small"):
        queue = _queue()
        _notices(project, queue)
        choose_queue(project, queue)
        _card(project, queue)
        mount_engine()


def _queue() -> Queue:
    """The queue of the URL. A damaged link becomes a sentence and the queue of all rows."""
    try:
        return Queue.from_query(st.query_params.to_dict())
    except WorkbenchError as error:
        st.warning(escaped(error), icon=":material/warning:")
        return Queue()


def _notices(project: Project, queue: Queue) -> None:
    if queue.ids or queue.selection:
        with st.container(horizontal=True, vertical_alignment="center"):
            chosen = Queue(ids=queue.ids, selection=queue.selection, state="all")
            rows = queries.matches(str(project.folder), project.revision, chosen)
            st.markdown(f"Only the **{count(rows, 'row')}** you selected.", width="content")
            st.button("Show all rows", key="review-all", type="tertiary", on_click=open_queue, args=(Queue(),))
    table = queries.issue_table(str(project.folder), project.revision)
    if table.empty or not table["measured"].any():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("No check has looked at these rows yet: they come as imported, without reasons.", width="content")
            pages.link("data", "Scan them first", project)


@st.fragment
def _card(project: Project, queue: Queue) -> None:
    """The card. Run again with everything the browser says, and with nothing else."""
    key = f"review-{content_hash(str(project.folder))[:12]}"
    said = (st.session_state.get(key) or {}).get("outbox")
    _follow(said)
    heard = mount_card(_session(project, queue).answer(said), key=key)
    if said is None and heard is not None:
        st.rerun()  # this server has just started: what the browser said before is known only once the card is mounted


def _session(project: Project, queue: Queue) -> ReviewSession:
    held = st.session_state.get("review-session")
    if isinstance(held, ReviewSession) and held.project.folder == project.folder and held.queue == queue:
        return held
    session = ReviewSession(project, queue, reviewer=reviewer(), day_start=_midnight())
    st.session_state["review-session"] = session
    return session


def _midnight() -> datetime | None:
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _follow(said: object) -> None:
    """Opens the queue that was chosen on the card, once."""
    go = said.get("go") if isinstance(said, dict) else None
    if not isinstance(go, dict) or go.get("n") == st.session_state.get("review-went"):
        return
    st.session_state["review-went"] = go.get("n")
    query = go.get("query")
    if isinstance(query, dict):
        open_queue(Queue.from_query({str(name): str(value) for name, value in query.items()}))
        st.rerun()
