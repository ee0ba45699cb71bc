"""Map figure: every row as a point near the rows with similar questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipelines.checks import Check
from workbench.words import SEVERITY_WORDS, VERDICT_WORDS

ColourBy = Literal["topic", "finding", "decision"]
COLOUR_WORDS: dict[ColourBy, str] = {"topic": "Topic", "finding": "Finding", "decision": "Decision"}
NAMED_TOPICS = 7
"""Topics with a colour of their own: more could not be told apart."""
_OTHERS = "Other topics"
_PALETTE = {
    False: ["#0b6b6b", "#d55e00", "#0072b2", "#e69f00", "#a5477f", "#56b4e9", "#6f7d1c"],
    True: ["#4db8ae", "#f08a4b", "#6aaee6", "#f2c14e", "#d68ab8", "#a5d8f3", "#b7c45a"],
}
_QUIET = {False: "#8f9996", True: "#84918e"}
"""For the category without a colour of its own."""
_FADED = {False: "#dde1df", True: "#343e3c"}
"""For points that are not in the filter: plainly fainter than any category."""


def categories(
    points: pd.DataFrame, by: ColourBy, name_by_cluster: Mapping[int, str], checks: Mapping[str, Check]
) -> tuple[pd.Series, list[str]]:
    """The category of each point, and the categories in the order of the legend; the quiet one comes last."""
    if by == "topic":
        largest = points["cluster"].value_counts().index[:NAMED_TOPICS]
        named = {cluster: name_by_cluster.get(cluster, f"Topic {cluster}") for cluster in largest}
        return points["cluster"].map(named).fillna(_OTHERS), [*dict.fromkeys(named.values()), _OTHERS]
    if by == "decision":
        words = points["verdict"].map(lambda v: VERDICT_WORDS[v if isinstance(v, str) else None])
        return words, [w for v, w in VERDICT_WORDS.items() if v] + [VERDICT_WORDS[None]]
    severity = {name: SEVERITY_WORDS[check.severity] for name, check in checks.items()}
    return points["check"].map(severity).fillna("No finding"), [*SEVERITY_WORDS.values(), "No finding"]


def map_figure(
    points: pd.DataFrame,
    by: ColourBy,
    name_by_cluster: Mapping[int, str],
    matching: np.ndarray | None,
    *,
    checks: Mapping[str, Check],
    dark: bool,
) -> Any:
    """A Plotly figure whose points carry the rows' import positions. Points that do not match the filter are drawn grey, beneath."""
    import plotly.graph_objects as go

    category, order = categories(points, by, name_by_cluster, checks)
    shown = np.ones(len(points), bool) if matching is None else matching
    colours = dict(zip(order[:-1], _PALETTE[dark], strict=False)) | {order[-1]: _QUIET[dark]}
    if by == "finding":
        colours = dict(zip(order, [_PALETTE[dark][1], _PALETTE[dark][3], _PALETTE[dark][5], _QUIET[dark]], strict=True))
    size = float(np.clip(9 - 1.3 * np.log10(max(len(points), 1)), 2.5, 7))
    figure = go.Figure()
    if not shown.all():
        figure.add_trace(_trace(points[~shown], "Not in the filter", _FADED[dark], size * 0.8, 0.8))
    for name in [order[-1], *order[:-1]]:  # the quiet category beneath the others
        chosen = points[shown & (category == name).to_numpy()]
        if len(chosen):
            figure.add_trace(_trace(chosen, name, colours[name], size, 0.5 if name == order[-1] and shown.all() else 0.85))
    figure.update_layout(
        uirevision="map", dragmode="lasso", height=560, margin={"l": 0, "r": 0, "t": 8, "b": 0}, hovermode="closest",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "itemsizing": "constant", "itemclick": False, "itemdoubleclick": False},
        xaxis={"visible": False}, yaxis={"visible": False},
    )  # fmt: skip
    return figure


def _trace(points: pd.DataFrame, name: str, colour: str, size: float, opacity: float) -> Any:
    import plotly.graph_objects as go

    return go.Scattergl(
        x=points["x"].to_numpy(np.float32), y=points["y"].to_numpy(np.float32), mode="markers", name=_plain(name),
        marker={"color": colour, "size": size, "opacity": opacity}, customdata=points["position"].to_numpy(np.int32),
        text=[_plain(text) for text in points["text"]], hovertemplate="%{text}<extra>" + _plain(name) + "</extra>",
    )  # fmt: skip


def _plain(text: str) -> str:
    """Plotly reads a few HTML tags in labels; text from the data must not make any."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inside(x: np.ndarray, y: np.ndarray, polygon_x: list[float], polygon_y: list[float]) -> np.ndarray:
    """For each point, whether it is inside the polygon (even-odd rule)."""
    px, py = np.asarray(polygon_x, float), np.asarray(polygon_y, float)
    found = np.zeros(len(x), bool)
    if len(px) < 3:
        return found
    near = np.flatnonzero((x >= px.min()) & (x <= px.max()) & (y >= py.min()) & (y <= py.max()))
    xs, ys = x[near].astype(float), y[near].astype(float)
    odd = np.zeros(len(near), bool)
    for x1, y1, x2, y2 in zip(px, py, np.roll(px, -1), np.roll(py, -1), strict=True):
        if y1 == y2:
            continue
        crosses = (y1 > ys) != (y2 > ys)
        odd ^= crosses & (xs < (x2 - x1) * (ys - y1) / (y2 - y1) + x1)
    found[near] = odd
    return found
