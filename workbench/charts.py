"""Chart: the pictures of the app. Streamlit's theme gives them the app's fonts and colours in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

BAR_HEIGHT = 24


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """A quiet grey for rules and labels that is legible on the present background."""
    return "#9aa5a2" if is_dark() else "#5d6664"


def accent() -> str:
    """The accent colour as charts use it."""
    return "#4db8ae" if is_dark() else "#0b6b6b"


def bar_list(bars: Sequence[dict[str, Any]], *, title: str, part: str | None = None, part_title: str = "", rows: int | None = None) -> None:
    """Horizontal bars with their counts, in the order given: {"label", "count"} and optionally a part of each in the accent colour."""
    frame = pd.DataFrame(bars)
    whole = rows or int(frame["count"].sum())
    frame["share"] = frame["count"] / max(whole, 1)
    reach = [0, float(frame["count"].max()) * 1.18 or 1.0]
    base = alt.Chart(frame).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False, labelPadding=8)),
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domain=reach, nice=False)),
        tooltip=[
            alt.Tooltip("label:N", title=title),
            alt.Tooltip("count:Q", title="Rows", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ]
        + ([alt.Tooltip(f"{part}:Q", title=part_title, format=",")] if part else []),
    )
    layers = [base.mark_bar(color=accent(), opacity=0.35 if part else 0.85, cornerRadiusEnd=2, size=14)]
    if part:
        layers.append(base.mark_bar(color=accent(), cornerRadiusEnd=2, size=14).encode(x=alt.X(f"{part}:Q", title=None, axis=None)))
    layers.append(base.mark_text(align="left", dx=6, color=ink()).encode(text=alt.Text("count:Q", format=",")))
    st.altair_chart(alt.layer(*layers).properties(height=alt.Step(BAR_HEIGHT)), alt=f"{title}: {_spoken(bars)}")


def _spoken(bars: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{bar['label']} {bar['count']:,}" for bar in bars[:12])


def value_bars(bars: pd.DataFrame, threshold: float, *, unit: str, above: bool) -> None:
    """How many rows have which value, with the threshold as a line; what is beyond it is in full colour."""
    beyond = f"(datum.from + datum.to) / 2 {'>' if above else '<'} {threshold}"
    columns = (
        alt.Chart(bars)
        .mark_bar(color=accent(), binSpacing=1)
        .encode(
            x=alt.X("from:Q", title=unit, bin="binned", axis=alt.Axis(format="~s", grid=False)),
            x2="to:Q",
            y=alt.Y("rows:Q", title="Rows", scale=alt.Scale(type="symlog"), axis=alt.Axis(tickCount=3, format="~s")),
            opacity=alt.condition(beyond, alt.value(1.0), alt.value(0.3)),
            tooltip=[
                alt.Tooltip("from:Q", title="From", format=".3~g"),
                alt.Tooltip("to:Q", title="To", format=".3~g"),
                alt.Tooltip("rows:Q", title="Rows", format=","),
            ],
        )
    )
    rule = alt.Chart(pd.DataFrame({"at": [threshold]})).mark_rule(color=ink(), strokeDash=[4, 3], strokeWidth=1.5).encode(x="at:Q")
    st.altair_chart((columns + rule).properties(height=130), alt=f"Distribution of {unit}, with the threshold at {threshold:g}")


def loss_lines(points: pd.DataFrame) -> None:
    """Loss over steps: columns step, loss and which ("Training rows", "Validation rows")."""
    base = alt.Chart(points).encode(
        x=alt.X("step:Q", title="Step", axis=alt.Axis(grid=False, tickMinStep=1, tickCount=12)),
        y=alt.Y("loss:Q", title="Loss (lower is better)", scale=alt.Scale(zero=False)),
        color=alt.Color("which:N", title=None, legend=alt.Legend(orient="top")),
        tooltip=[
            alt.Tooltip("which:N", title="On"),
            alt.Tooltip("step:Q", title="Step"),
            alt.Tooltip("loss:Q", title="Loss", format=".4f"),
        ],
    )
    dots = base.mark_point(filled=True, size=45).transform_filter("datum.which == 'Validation rows'")
    st.altair_chart((base.mark_line(strokeWidth=2) + dots).properties(height=320), alt="Loss over training steps")


def dot_and_whisker(points: pd.DataFrame) -> None:
    """Shares before and after with their intervals, from 0 to 1: columns measure, which, value, low, high."""
    order = list(dict.fromkeys(points["measure"]))
    base = alt.Chart(points).encode(
        y=alt.Y(
            "measure:N",
            sort=order,
            title=None,
            scale=alt.Scale(paddingInner=0.45),
            axis=alt.Axis(labelLimit=280, ticks=False, domain=False, labelPadding=10),
        ),
        yOffset=alt.YOffset("which:N", sort=["Before", "After"]),
        color=alt.Color(
            "which:N",
            title=None,
            sort=["Before", "After"],
            legend=alt.Legend(orient="top"),
            scale=alt.Scale(domain=["Before", "After"], range=[ink(), accent()]),
        ),
        tooltip=[
            alt.Tooltip("measure:N", title="Measure"),
            alt.Tooltip("which:N", title="Model"),
            alt.Tooltip("value:Q", title="Value", format=".1%"),
            alt.Tooltip("low:Q", title="At least", format=".1%"),
            alt.Tooltip("high:Q", title="At most", format=".1%"),
        ],
    )
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(tickCount=5, format=".0%")
    whiskers = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=None, scale=scale, axis=axis), x2="high:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=alt.X("value:Q", title=None), shape=alt.Shape("which:N", sort=["Before", "After"], legend=None)
    )
    st.altair_chart((whiskers + dots).properties(height=alt.Step(16, **{"for": "offset"})), alt="Before and after with 95 % intervals")
