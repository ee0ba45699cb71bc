"""The app: page settings, navigation, and the strip above every page. Start it with `streamlit run workbench/app.py`."""

from pathlib import Path

import streamlit as st

from workbench import pages
from workbench.frame import show

ICON = str(Path(__file__).with_name("icon.svg"))


def main() -> None:
    """Draws the page the visitor asked for."""
    st.set_page_config(page_title="Winnow", page_icon=ICON, layout="wide", menu_items={})
    st.logo(ICON, size="large")
    st.html(Path(__file__).with_name("style.css"))
    st.navigation([pages.start_page(), *(pages.as_page(screen, show) for screen in pages.screens())], position="top").run()


main()
