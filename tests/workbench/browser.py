"""What the tests of the review card share: JavaScript to run, a server to start and to kill, a browser to drive."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.store.project import Project
from workbench.components.review_card import FOLDER
from workbench.components.review_card.modules import joined_modules

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
NODE = shutil.which("node")
ARGUMENTS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
APP = Path(__file__).resolve().parents[2] / "workbench" / "app.py"


def run_javascript(body: str, **imports: str) -> object:
    """The JSON value that `body` returns, run as the body of a function after `import { names } from "./module.js"` per keyword."""
    lines = [f'import {{ {names} }} from "./{module}.js";' for module, names in imports.items()]
    test = "\n".join([*lines, f"export default function test() {{\n{body}\n}}\n"])
    module = joined_modules(FOLDER, "test.js", {"test.js": test})
    if NODE:
        script = module.replace("export default function test()", "function test()") + "\nconsole.log(JSON.stringify(test()));\n"
        done = subprocess.run([NODE, "--input-type=module", "-"], input=script, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    with chromium() as browser:
        page = browser.new_page()
        script = module.replace("export default function test()", "function test()") + "\nreturn JSON.stringify(test());"
        return json.loads(page.evaluate(f"() => {{\n{script}\n}}"))


@contextmanager
def chromium() -> Iterator:
    """A headless browser. Skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Server:
    """The app on a free port of this machine, showing the projects of one folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home.with_name(f"{home.name}.log")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen | None = None

    def url(self, project: Project, query: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/review?project={project.name}{query}"

    def start(self) -> None:
        settings = {"headless": "true", "port": self.port, "address": "127.0.0.1", "fileWatcherType": "none"}
        flags = [f"--server.{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", str(APP), *flags, "--browser.gatherUsageStats=false"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"WINNOW_HOME": str(self.home), "OMP_NUM_THREADS": "1"},
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2).close()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        raise AssertionError(f"the app did not start:\n{self.log.read_text(errors='replace')[-3000:]}")

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


READY = """() => {
  const hosts = [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')];
  const host = hosts.find((h) => h.shadowRoot && h.shadowRoot.winnowReview && h.shadowRoot.winnowReview.session && h.shadowRoot.winnowReview.session.tally);
  if (!host) return false;
  globalThis.review = host.shadowRoot.winnowReview;
  return Boolean(globalThis.review.element.querySelector(".turn, .compare, .screen:not(.waiting)"));
}"""


def open_card(page, url: str):
    """The page with the card on it; `review` in the page is the card."""
    page.goto(url)
    page.wait_for_function(READY, timeout=60_000)
    return page


def unsaved(page) -> int:
    return page.evaluate("() => review.session.outbox.events.length")


def wait_until_saved(page, seconds: float = 60) -> None:
    page.wait_for_function("() => review.session.outbox.events.length === 0", timeout=seconds * 1000)


def type_keys(page, keys: str, per_second: float = 10) -> None:
    """One key after another at a steady pace, however long each takes."""
    begun = time.monotonic()
    for i, key in enumerate(keys):
        page.keyboard.press(key)
        time.sleep(max(0.0, begun + (i + 1) / per_second - time.monotonic()))
