"""Report: what is wrong with the data, worst first, and what to do next."""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st

from pipelines.curation.recipe import load_recipe
from pipelines.curation.report import ReportFormat, render_report
from pipelines.store.project import Project
from workbench import charts, pages, queries
from workbench.allow_form import allow_form
from workbench.bulk import bulk_history
from workbench.check_panel import check_panel, switch_check
from workbench.difficulty_form import difficulty_form
from workbench.frame import head, project_with_rows
from workbench.held_out_form import held_out_form
from workbench.job_progress import begin, job_panel, latest_job
from workbench.token_form import token_form
from workbench.words import SEVERITY_WORDS, count, escaped


def page() -> None:
    """Draws the page."""
    project = project_with_rows("Report")
    if project is None:
        return
    found = queries.report_of(str(project.folder), project.revision)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="stretch"):
            head("Report", escaped(found["readiness"]["sentence"]))
        if found["readiness"]["is_checked"]:
            _downloads(project, found)
    job, fix = latest_job(project, "scan", "held_out", "tokens", "difficulty"), latest_job(project, "fix")
    if job is not None:
        job_panel(job)
    if fix is not None:
        job_panel(fix)
    if not found["readiness"]["is_checked"]:
        if job is None or job.kind != "scan" or job.state == "done":  # else its own box has the button to go on with
            _not_checked(project, is_busy=job is not None and not job.is_finished)
        return
    _readiness(found["readiness"])
    if fix is not None:
        bulk_history(project, newest_only=True)
    _next_steps(project, found)
    _findings(project, found)
    is_busy = job is not None and not job.is_finished
    allow_form(project, is_busy=is_busy)
    held_out_form(project, is_busy=is_busy)
    token_form(project, found["tokens"], is_busy=is_busy)
    difficulty_form(project, is_busy=is_busy)
    _distributions(found)


def _not_checked(project: Project, *, is_busy: bool) -> None:
    if not is_busy:
        st.button("Scan", type="primary", icon=":material/search_check:", on_click=begin, args=(project, "scan", {}, "Scan"))


def _readiness(ready: dict[str, Any]) -> None:
    parts = [
        ("Ready to train on", ready["ready"], "ready"),
        ("Need a look", ready["to_look_at"], "look"),
        ("Dropped", ready["dropped"], "dropped"),
    ]
    whole = sum(n for _, n, _ in parts) or 1
    bar = "".join(f'<i class="{kind}" style="flex:{n / whole:.6f}"></i>' for _, n, kind in parts if n)
    legend = "".join(f'<li><i class="{kind}"></i>{words} <b>{n:,}</b></li>' for words, n, kind in parts)
    st.html(f'<div class="shares">{bar}</div><ul class="legend">{legend}</ul>')
    st.caption(escaped(ready["rule"]))


def _next_steps(project: Project, found: dict[str, Any]) -> None:
    steps = found["next_steps"]
    if not steps:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="next-step"):
            st.markdown("**Next: freeze a snapshot.** Nothing that is serious or worth a look is left undecided.", width="stretch")
            pages.link("curate", "Open Curate", project)
        return
    st.subheader("What to do next", anchor=False)
    first, others = steps[0], steps[1:]
    with st.container(border=True, key="next-step", horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xsmall"):
            st.markdown(f"**{escaped(first['title'])}:** {count(first['undecided'], 'row')} to decide")
            st.markdown(escaped(first["effect"] or first["summary"]))
        if st.button("Review them", type="primary", icon=":material/rate_review:", key="fix-first"):
            pages.go("review", project, check=first["check"])
    if others:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Then:", width="content")
            for step in others:
                pages.link("review", f"{step['title']} ({step['undecided']:,})", project, check=step["check"])


def _findings(project: Project, found: dict[str, Any]) -> None:
    rows = found["totals"]["records"]
    flagged = [check for check in found["checks"] if check["flagged"]]
    for severity, words in SEVERITY_WORDS.items():
        of_kind = [check for check in flagged if check["severity"] == severity]
        if of_kind:
            st.subheader(words, anchor=False)
            for check in of_kind:
                check_panel(project, check, rows)
    clean = [check for check in found["checks"] if check["measured"] and not check["flagged"]]
    if clean:
        with st.expander(f"{count(len(clean), 'check')} found nothing", icon=":material/check:"):
            for check in clean:
                st.markdown(f"**{escaped(check['title'])}.** {escaped(check['summary'])}")
    if found["not_run"]:
        with st.expander(f"{count(len(found['not_run']), 'check')} had nothing to measure or did not run", icon=":material/pending:"):
            st.markdown(escaped(", ".join(check["title"] for check in found["not_run"])))
    _switched_off(project)


def _switched_off(project: Project) -> None:
    recipe = load_recipe(project)
    names = recipe.disabled
    if not names:
        return
    with st.expander(f"{count(len(names), 'check')} switched off", icon=":material/visibility_off:"):
        for name in names:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(escaped(recipe.known[name].title), width="stretch")
                st.button("Switch on", key=f"on-{name}", on_click=switch_check, args=(project, name, True))


def _distributions(found: dict[str, Any]) -> None:
    st.subheader("What the rows are like", anchor=False)
    columns = st.columns(2, gap="large")
    for i, chart in enumerate(found["distributions"]):
        with columns[i % 2]:
            st.markdown(f"**{escaped(chart['title'])}**")
            if chart["caption"]:
                st.caption(escaped(chart["caption"]))
            charts.bar_list(chart["bars"], title=chart["title"], rows=chart["rows"])
    topics = found["topics"]
    if topics:
        st.markdown("**Topics**")
        st.caption(
            "Rows with similar questions, named by their most telling words. "
            "In full colour: rows with a finding that is serious or worth a look."
        )
        shown = topics[:24]
        charts.bar_list(
            [{"label": t["name"], "count": t["size"], "flagged": t["flagged"]} for t in shown],
            title="Topic",
            part="flagged",
            part_title="With a finding",
        )
        if len(topics) > len(shown):
            st.caption(f"The {len(shown)} largest of {len(topics):,} topics.")


def _downloads(project: Project, found: dict[str, Any]) -> None:
    forms: tuple[tuple[ReportFormat, str, str], ...] = (
        ("html", "Web page", "text/html"),
        ("md", "Markdown", "text/markdown"),
        ("json", "JSON", "application/json"),
    )
    with st.popover("Download", icon=":material/download:"):
        for format, words, mime in forms:
            st.download_button(
                words,
                data=functools.partial(render_report, found, format),
                file_name=f"{project.name}-report.{format}",
                mime=mime,
                key=f"report-{format}",
                on_click="ignore",
                width="stretch",
            )
