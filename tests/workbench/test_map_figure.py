"""The map: what a drawn line encloses, and how points are coloured."""

import numpy as np
import pandas as pd

from pipelines.checks import all_checks
from workbench.map_figure import categories, inside, map_figure


def test_a_lasso_holds_the_points_inside_it_and_no_others():
    x, y = np.array([1.0, 3.0, 1.0, -1.0]), np.array([1.0, 1.0, 3.0, 1.0])
    assert inside(x, y, [0, 2, 2, 0], [0, 0, 2, 2]).tolist() == [True, False, False, False]


def test_the_hollow_of_a_bent_lasso_is_outside():
    u_shape_x, u_shape_y = [0, 3, 3, 2, 2, 1, 1, 0], [0, 0, 3, 3, 1, 1, 3, 3]
    assert inside(np.array([0.5, 1.5, 2.5]), np.array([2.0, 2.0, 2.0]), u_shape_x, u_shape_y).tolist() == [True, False, True]


def test_a_line_encloses_nothing():
    assert not inside(np.array([0.5]), np.array([0.5]), [0, 1], [0, 1]).any()


def points(**columns):
    n = len(next(iter(columns.values())))
    base = {
        "x": range(n),
        "y": range(n),
        "position": range(n),
        "cluster": [0] * n,
        "verdict": [None] * n,
        "check": [None] * n,
        "text": ["t"] * n,
    }
    return pd.DataFrame(base | columns)


def test_every_point_has_a_category_of_the_legend():
    many = points(cluster=list(range(12)))
    for by in ("topic", "finding", "decision"):
        found, order = categories(many, by, {0: "refunds"}, all_checks())
        assert set(found) <= set(order)
    assert categories(many, "topic", {0: "refunds"}, all_checks())[0][0] == "refunds"


def test_points_outside_the_filter_are_drawn_but_grey():
    figure = map_figure(points(cluster=[0, 0]), "topic", {0: "refunds"}, np.array([True, False]), checks=all_checks(), dark=False)
    assert {trace.name: len(trace.x) for trace in figure.data} == {"Not in the filter": 1, "refunds": 1}


def test_html_in_text_reaches_the_map_as_text():
    figure = map_figure(points(text=["<b>x</b><a href='http://x'>y</a>"]), "topic", {}, None, checks=all_checks(), dark=True)
    assert "<" not in figure.data[0].text[0]
