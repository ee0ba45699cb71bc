"""How the app is served: to this machine, without telemetry, without anything from elsewhere."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKBENCH = ROOT / "workbench"


def test_the_app_listens_to_this_machine_and_reports_to_nobody():
    config = tomllib.loads((WORKBENCH / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1" and config["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["toolbarMode"] == "minimal" and config["client"]["disableDataExport"] is True
    assert {"light", "dark"} <= set(config["theme"])


def test_the_settings_are_installed_with_the_package():
    """Streamlit reads them from the folder of app.py, so a wheel without them would listen to everyone and report home."""
    packaging = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert any(
        pattern.startswith(".streamlit/") for patterns in packaging["tool"]["setuptools"]["package-data"].values() for pattern in patterns
    )


def test_nothing_is_loaded_from_elsewhere():
    for file in [*WORKBENCH.rglob("*.py"), *WORKBENCH.rglob("*.css"), *WORKBENCH.rglob("*.svg"), *WORKBENCH.rglob("*.toml")]:
        addresses = set(re.findall(r"https?://[\w./-]+", file.read_text(encoding="utf-8"))) - {"http://www.w3.org/2000/svg"}
        assert not addresses, f"{file.name}: {addresses}"


def test_the_tab_icon_is_a_file_of_ours():
    """A Material icon would be fetched from a font server by the browser."""
    source = (WORKBENCH / "app.py").read_text(encoding="utf-8")
    assert "page_icon=ICON" in source and (WORKBENCH / "icon.svg").is_file()
