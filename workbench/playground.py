"""Playground: ask both models the same thing and read the answers side by side."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines import jobs
from pipelines.errors import WorkbenchError
from pipelines.evaluation.chat import ask, start_chat
from pipelines.evaluation.tuned_run import TunedRun
from pipelines.store.project import Project
from workbench import context, queries
from workbench.words import escaped

LONGEST_ANSWER = 256
"""Tokens after which an answer is cut."""
_SIDES = {"base": "Before", "tuned": "After"}


def playground(project: Project, run: TunedRun) -> None:
    """Draws the conversation so far and the field for the next question."""
    place = st.expander("Ask both models something", icon=":material/forum:", key=f"playground-{run.id}", on_change="rerun")
    if place.open:
        with place:
            _conversation(project.name, run.id, run.snapshot)


@st.fragment
def _conversation(project_name: str, run: str, snapshot: str) -> None:
    project = context.project_named(project_name)
    if project is None:
        return
    key = f"talk-{project.folder}-{run}"
    talk: list[dict[str, str]] = st.session_state.setdefault(key, [])
    system = st.text_area(
        "Instructions that go before the question",
        value=queries.usual_system(str(project.folder), snapshot),
        key=f"system-{run}",
        height=80,
        help="The ones most rows of the snapshot were trained with are filled in.",
    )
    for turn in talk:
        _turn(turn)
    with st.form(f"ask-{run}", clear_on_submit=True, border=False):
        question = st.text_area("Question", key=f"question-{run}", height=90)
        with st.container(horizontal=True):
            is_asked = st.form_submit_button("Ask both", type="primary", icon=":material/send:")
            is_over = st.form_submit_button("Start over", type="tertiary", disabled=not talk)
    if is_over:
        st.session_state[key] = []
        st.rerun(scope="fragment")
    if is_asked and (question or "").strip():
        _ask_both(project, run, (system or "").strip(), talk, (question or "").strip())
    st.caption(
        f"Each model gives its likeliest answer, cut at {LONGEST_ANSWER} tokens, about 200 words. "
        "The models are kept in memory for ten minutes after the last question."
    )


def _turn(turn: dict[str, str]) -> None:
    st.text(f"You: {turn['question']}")
    for column, (side, title) in zip(st.columns(2, gap="large"), _SIDES.items(), strict=True):
        with column:
            st.caption(title)
            st.text(turn[side] or "(nothing)")


def _ask_both(project: Project, run: str, system: str, talk: list[dict[str, str]], question: str) -> None:
    st.text(f"You: {question}")
    slots = {}
    for column, (side, title) in zip(st.columns(2, gap="large"), _SIDES.items(), strict=True):
        with column:
            st.caption(title)
            slots[side] = st.empty()
    turn = {"question": question}
    try:
        folder = start_chat(project, run)
        slots["base"].caption("Loading the model" if jobs.view(folder).message != "Ready" else "Writing")
        for side in _SIDES:
            turn[side] = ""
            for piece in ask(folder, _messages(system, talk, side, question), model=side, max_new_tokens=LONGEST_ANSWER):  # type: ignore[arg-type]
                turn[side] += piece
                slots[side].text(turn[side])
            if not turn[side]:
                slots[side].text("(nothing)")
    except WorkbenchError as error:
        st.error(escaped(error), icon=":material/error:")
        return
    talk.append(turn)


def _messages(system: str, talk: list[dict[str, str]], side: str, question: str) -> list[dict[str, Any]]:
    """The conversation as one model has had it: each remembers its own answers."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for turn in talk:
        messages += [{"role": "user", "content": turn["question"]}, {"role": "assistant", "content": turn[side]}]
    return [*messages, {"role": "user", "content": question}]
