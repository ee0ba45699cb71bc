"""The pages in a real browser: nothing from elsewhere, nothing cut off, the map's lasso, and who may name a path."""

import pytest

from pipelines.curation.decisions import verdicts
from pipelines.store.project import Project
from tests.conftest import put_records
from tests.workbench.app_test import PAGES, fill_small
from tests.workbench.browser import Server, chromium
from tests.workbench.forwarding import proxy_to

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
RESTING = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from tests.conftest import SHARED_DATASETS  # noqa: F401 - the fixtures' module sets the offline switches

    home = tmp_path_factory.mktemp("projects")
    project = Project.create(home / "small")
    fill_small(project, put_records)
    server = Server(home)
    with chromium() as browser:
        server.start()
        try:
            yield server, browser, project
        finally:
            server.kill()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page_name", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_fits_the_window(served, page_name, scheme):
    server, browser, _ = served
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    elsewhere, errors = [], []
    here = (f"http://127.0.0.1:{server.port}", f"ws://127.0.0.1:{server.port}", "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(here) else elsewhere.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"http://127.0.0.1:{server.port}/{page_name}?project=small")
    page.locator(".st-key-strip").wait_for()
    page.locator(RESTING).wait_for()
    page.wait_for_timeout(800)
    assert elsewhere == [] and errors == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator('[data-testid="stException"]').count() == 0
    page.close()


def test_going_to_another_page_keeps_the_project_and_says_so_in_the_address(served):
    server, browser, _ = served
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/data?project=small")
    page.get_by_role("link", name="Explore").first.click()
    page.wait_for_url("**/explore?project=small")
    page.close()


def test_rows_inside_a_lasso_are_dropped_together_and_undone_together(served):
    server, browser, project = served
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"http://127.0.0.1:{server.port}/explore?project=small")
    plot = page.locator(".js-plotly-plot")
    plot.wait_for()
    page.locator(RESTING).wait_for()
    page.wait_for_timeout(1500)
    box = plot.bounding_box()
    corners = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.8), (0.1, 0.8), (0.1, 0.1)]
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    page.get_by_text("6 rows selected on the map").wait_for()
    page.get_by_role("button", name="Drop all 6").click()
    page.locator(".st-key-bulk-confirm button").click()
    page.get_by_text("6 rows dropped at once").wait_for()
    assert verdicts(project).column("verdict").to_pylist() == ["drop"] * 6
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("6 rows dropped at once").wait_for(state="detached")
    assert verdicts(project).num_rows == 0
    page.close()


@pytest.mark.parametrize("is_forwarded", [False, True])
def test_a_path_can_be_typed_at_this_machine_but_not_through_a_proxy(served, is_forwarded):
    server, browser, _ = served
    with proxy_to(server.port) as proxy:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{proxy if is_forwarded else server.port}/data?project=small")
        page.locator(RESTING).wait_for()
        page.get_by_text("Add more data").click()
        page.get_by_text("JSONL, JSON, CSV").first.wait_for()
        assert (page.get_by_text("Name a file, folder or data set").count() == 1) == (not is_forwarded)
        page.close()


def test_rows_are_mended_after_a_look_and_taken_back(served):
    from pipelines.curation.decisions import edits
    from pipelines.scan import scan
    from tests.conftest import chat

    server, browser, _ = served
    project = Project.create(server.home / "garbled")
    ids = put_records(project, [chat("Who called?", "FranÃ§oise called."), chat("When?", "At noon.")])
    scan(project, checks=["mojibake"])
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/report?project=garbled")
    page.get_by_role("button", name="Restore the garbled characters").click()
    page.get_by_text("It mends 1 of 1 undecided row").wait_for()
    assert page.locator(".change del").inner_text() == "FranÃ§oise" and edits(project).num_rows == 0
    page.get_by_role("button", name="Mend it").click()
    page.get_by_text("1 row mended at once").wait_for()
    page.get_by_text("2 of 2 rows are ready to train on", exact=False).or_(page.get_by_text("All 2 rows are ready")).first.wait_for()
    (edit,) = edits(project).to_pylist()
    assert edit["record"] == ids[0] and "Françoise called." in edit["edit"]
    page.get_by_role("button", name="Undo").first.click()
    page.get_by_text("1 row mended at once").wait_for(state="detached")
    assert edits(project).num_rows == 0
    page.close()
