"""Row map: the map on the page, and the rows that a lasso, a box or a click on it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pipelines.curation.issues import cluster_names
from pipelines.curation.queue import Queue
from pipelines.records import content_hash
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project
from workbench import charts, queries
from workbench.map_figure import COLOUR_WORDS, inside, map_figure

DRAWN_POINTS = 50_000
"""More points than this are slow in a browser; a random sample of so many is drawn instead, and said so."""


def row_map(project: Project, queue: Queue, *, is_filtered: bool) -> list[str]:
    """Draws the map and returns the ids of the rows selected on it. A drawn line selects every row inside it, also those not drawn."""
    root, revision = str(project.folder), project.revision
    points, rows = queries.map_points(root, revision, DRAWN_POINTS)
    with st.container(horizontal=True, vertical_alignment="center"):
        by = st.segmented_control(
            "Colour",
            list(COLOUR_WORDS),
            default="topic",
            required=True,
            format_func=lambda b: COLOUR_WORDS[b],
            key="map-colour",
            label_visibility="collapsed",
            persist_state="session",
        )
        shown = f"{rows:,} rows" if rows <= len(points) else f"{len(points):,} of {rows:,} rows, drawn at random"
        st.caption(f"{shown}. Rows with similar questions lie close together. Draw round rows to select them.", width="stretch")
    matching = None
    if is_filtered:
        matching = points["id"].isin(queries.matching_ids(root, revision, queue)).to_numpy()
    names = {c["cluster"]: c["name"] for c in cluster_names(project)}
    figure = map_figure(points, by or "topic", names, matching, checks=known_checks(project), dark=charts.is_dark())
    chosen = st.plotly_chart(
        figure,
        key=f"map-{content_hash(project.records_version)}",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]},
        alt="Map of the rows",
    )
    if not any(chosen["selection"].values()):
        return []
    ids = selected_ids(chosen["selection"], queries.map_positions(root, revision))
    if is_filtered and ids:
        within = set(queries.matching_ids(root, revision, queue))
        ids = [id for id in ids if id in within]
    return ids


def selected_ids(selection: Mapping[str, Any], places: pd.DataFrame) -> list[str]:
    """Ids of the rows inside the drawn lines and boxes; without any, of the points that were clicked. In import order."""
    x, y = places["x"].to_numpy(), places["y"].to_numpy()
    found = np.zeros(len(places), bool)
    for lasso in selection.get("lasso") or []:
        found |= inside(x, y, lasso["x"], lasso["y"])
    for box in selection.get("box") or []:
        (x1, x2), (y1, y2) = sorted(box["x"]), sorted(box["y"])
        found |= (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)
    if not (selection.get("lasso") or selection.get("box")):
        clicked = [int(np.ravel(point["customdata"])[0]) for point in selection.get("points") or [] if "customdata" in point]
        found |= places["position"].isin(clicked).to_numpy()
    return places["id"][found].tolist()
