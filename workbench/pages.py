"""Page: the screens of the app in the order people work, and links between them."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pipelines.store.project import Project


@dataclass(frozen=True, slots=True)
class Screen:
    """One entry of the navigation."""

    name: str
    """Its place in the URL, and its module in workbench.views."""
    title: str
    icon: str
    help: str


SCREENS = {
    screen.name: screen
    for screen in (
        Screen("data", "Data", ":material/database:", "Projects, files you brought in, and what came of every row."),
        Screen("report", "Report", ":material/fact_check:", "What is wrong with the data, worst first, and what to do next."),
        Screen("explore", "Explore", ":material/scatter_plot:", "A map, a search and a table over all rows."),
        Screen("review", "Review", ":material/rate_review:", "Keep, drop or edit rows one at a time."),
        Screen("curate", "Curate", ":material/filter_alt:", "Decide what is left out, and freeze the rest as a snapshot."),
        Screen("train", "Train", ":material/model_training:", "Train a model on a snapshot and watch it learn."),
        Screen("evaluate", "Evaluate", ":material/compare_arrows:", "Compare the model before and after, with honest intervals."),
        Screen("rules", "Rules", ":material/rule:", "What every row and every answer must keep to, in your own words."),
    )
}


def screens() -> list[Screen]:
    """The screens whose module is installed."""
    return [s for s in SCREENS.values() if importlib.util.find_spec(f"workbench.views.{s.name}")]


def as_page(screen: Screen, show: Callable[[str], None]) -> st.Page:
    """The screen for st.navigation; `show` gets its name when it is opened."""
    return st.Page(functools.partial(show, screen.name), title=screen.title, icon=screen.icon, url_path=screen.name, help=screen.help)


def start_page() -> st.Page:
    """What the bare address opens: the first screen. Streamlit's default page has no path of its own, so it cannot be a screen itself."""
    return st.Page(_to_first_screen, title="Winnow", url_path="start", default=True, visibility="hidden")


def _to_first_screen() -> None:
    st.switch_page(as_page(screens()[0], _nothing), query_params=st.query_params.to_dict())


def _nothing(_: str) -> None:
    """Stands in for `show` where a page is only pointed at."""


def view_of(name: str) -> Callable[[], None]:
    """The function that draws a screen."""
    return importlib.import_module(f"workbench.views.{name}").page


def link(to: str, label: str, project: Project | None, *, icon: str | None = None, **query: str) -> None:
    """A link to a screen that keeps the project, with query parameters for its view."""
    screen = SCREENS[to]
    st.page_link(as_page(screen, _nothing), label=label, icon=icon or screen.icon, query_params=_query(project, query))


def go(to: str, project: Project | None, **query: str) -> None:
    """Opens a screen now. Ends the present run."""
    st.switch_page(as_page(SCREENS[to], _nothing), query_params=_query(project, query))


def _query(project: Project | None, query: dict[str, str]) -> dict[str, str]:
    return ({"project": project.name} if project else {}) | query
