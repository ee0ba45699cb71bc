"""The review page in a real browser, against a real server that is killed and started again."""

import json
import time

import pyarrow as pa
import pytest

from pipelines.checks import all_checks
from pipelines.curation.decisions import Decision, decide, log, verdicts
from pipelines.records import Message, Record
from pipelines.store.project import Project
from pipelines.store.tables import MEASUREMENT_SCHEMA, write_parquet
from tests.conftest import chat
from tests.workbench.browser import Server, chromium, open_card, type_keys, unsaved, wait_until_saved

pytestmark = pytest.mark.browser
IN_ORDER = "&order=import"


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    running = Server(home)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def mortal(browser, tmp_path):
    """A server for the tests that kill it."""
    running = Server(tmp_path / "home")
    running.home.mkdir()
    running.start()
    yield running
    running.kill()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    yield opened
    context.close()


def make(server: Server, name: str, records, fill) -> tuple[Project, list[str]]:
    project = Project.create(server.home / name)
    return project, fill(project, records)


def rows(n: int) -> list[Record]:
    return [chat(f"Question number {i}?", f"The answer to question {i} is {i * i}.") for i in range(n)]


def measured(project: Project, check: str, ids: list[str], findings: dict[str, list[dict]]) -> None:
    """Findings of a check, as a scan would store them: 1 where there is evidence, else 0."""
    table = {
        "id": ids,
        "value": [1.0 if id in findings else 0.0 for id in ids],
        "evidence": [json.dumps(findings[id]) if id in findings else None for id in ids],
    }
    write_parquet(pa.table(table, schema=MEASUREMENT_SCHEMA), project.measurements_folder / all_checks()[check].key / "0.parquet")


def decided(project: Project) -> list[tuple[str, str]]:
    return [(event["record"], event["verdict"]) for event in log(project)]


def test_thirty_decisions_at_ten_a_second_survive_a_killed_server_each_once(mortal, page, fill):
    project, ids = make(mortal, "killed", rows(40), fill)
    open_card(page, mortal.url(project, IN_ORDER))
    page.wait_for_function("() => review.session.deck.order.length === 40")
    keys = "kdf" * 10
    type_keys(page, keys[:15])
    mortal.kill()
    type_keys(page, keys[15:])
    assert unsaved(page) >= 15
    mortal.start()
    wait_until_saved(page)
    word = {"k": "keep", "d": "drop", "f": "flag"}
    assert decided(project) == [(ids[i], word[key]) for i, key in enumerate(keys)]


def test_a_server_that_dies_before_the_first_decision_still_gets_it(mortal, page, fill):
    """Nothing but a whole run has happened then: the browser has to ask the new server for another one."""
    project, ids = make(mortal, "early", rows(3), fill)
    open_card(page, mortal.url(project, IN_ORDER))
    time.sleep(1)
    mortal.kill()
    type_keys(page, "kd")
    mortal.start()
    wait_until_saved(page)
    assert decided(project) == [(ids[0], "keep"), (ids[1], "drop")]


def test_what_was_not_saved_when_the_page_was_reloaded_is_saved_afterwards(mortal, page, fill):
    project, ids = make(mortal, "reloaded", rows(20), fill)
    open_card(page, mortal.url(project, IN_ORDER))
    mortal.kill()
    type_keys(page, "kkdd")
    page.on("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    mortal.start()
    open_card(page, mortal.url(project, IN_ORDER))
    wait_until_saved(page)
    assert decided(project) == [(ids[0], "keep"), (ids[1], "keep"), (ids[2], "drop"), (ids[3], "drop")]
    assert page.evaluate("() => review.session.deck.current.id") == ids[4]


def test_leaving_with_unsaved_decisions_asks_first(mortal, page, fill):
    project, _ = make(mortal, "leaving", rows(5), fill)
    open_card(page, mortal.url(project, IN_ORDER))
    mortal.kill()
    page.mouse.click(400, 600)
    type_keys(page, "k")
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()


def test_a_slow_server_is_told_calmly(mortal, page, fill):
    project, _ = make(mortal, "slow", rows(5), fill)
    open_card(page, mortal.url(project, IN_ORDER))
    mortal.kill()
    type_keys(page, "kk")
    assert "not yet saved" not in page.locator(".saved").inner_text()
    page.wait_for_function("() => review.bar.saved.textContent === 'Saving… 2 not yet saved'", timeout=8000)
    mortal.start()
    wait_until_saved(page)
    page.wait_for_function("() => review.bar.saved.textContent === 'Saved'")


def test_a_hundred_keys_at_sixteen_a_second_are_all_saved_in_order(server, page, fill):
    project, ids = make(server, "fast", rows(130), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.wait_for_function("() => review.session.deck.ahead >= 35")
    type_keys(page, "kd" * 50, per_second=16)
    wait_until_saved(page)
    assert decided(project) == [(ids[i], ("keep", "drop")[i % 2]) for i in range(100)]


def test_undo_brings_the_row_back_at_once_and_is_an_event(server, page, fill):
    project, ids = make(server, "undo", rows(8), fill)
    open_card(page, server.url(project, IN_ORDER))
    type_keys(page, "kd")
    page.keyboard.press("u")
    assert page.evaluate("() => review.session.deck.current.id") == ids[1]
    page.keyboard.press("Backspace")
    assert page.evaluate("() => review.session.deck.current.id") == ids[0]
    wait_until_saved(page)
    assert [verdict for _, verdict in decided(project)] == ["keep", "drop", "undo", "undo"]
    assert verdicts(project).num_rows == 0


def test_undo_after_a_reload_takes_back_the_decision_of_before(server, page, fill):
    project, ids = make(server, "undo-later", rows(8), fill)
    decide(project, [Decision(ids[5], "drop")])
    open_card(page, server.url(project, IN_ORDER))
    page.keyboard.press("u")
    page.wait_for_function(f"() => review.session.deck.current.id === '{ids[5]}'")
    wait_until_saved(page)
    assert verdicts(project).num_rows == 0


def test_an_edit_is_saved_with_ctrl_enter_and_shown_as_a_difference(server, page, fill):
    project, ids = make(server, "edit", [chat("When?", "It takes five days."), *rows(2)], fill)
    open_card(page, server.url(project, IN_ORDER))
    page.keyboard.press("e")
    field = page.locator("textarea.text").nth(1)
    field.fill("It takes seven days.")
    page.wait_for_selector(".changes del")
    assert page.locator(".changes del").inner_text() == "five" and page.locator(".changes ins").inner_text() == "seven"
    page.keyboard.press("Control+Enter")
    wait_until_saved(page)
    (event,) = log(project)
    assert event["edit"] == [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "It takes seven days."}]
    page.keyboard.press("ArrowLeft")
    assert "It takes seven days." in page.locator(".row-body").inner_text()


def test_escape_leaves_the_editor_and_keeps_what_was_typed(server, page, fill):
    project, _ = make(server, "draft", rows(3), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.keyboard.press("e")
    page.locator("textarea.text").nth(1).fill("half a thought, k d f")
    page.keyboard.press("Escape")
    page.get_by_text("Unfinished edit").click()
    assert page.locator("textarea.text").nth(1).input_value() == "half a thought, k d f"
    page.keyboard.press("Escape")
    assert log(project) == []


def test_line_ends_of_turns_that_were_not_touched_are_kept(server, page, fill):
    project, _ = make(server, "line-ends", [chat("one\r\ntwo", "three\r\nfour")], fill)
    open_card(page, server.url(project, IN_ORDER))
    page.keyboard.press("e")
    page.locator("textarea.text").nth(1).fill("five")
    page.keyboard.press("Control+Enter")
    wait_until_saved(page)
    assert [m["content"] for m in log(project)[0]["edit"]] == ["one\r\ntwo", "five"]


def test_a_reason_goes_with_the_decision_and_not_with_the_next(server, page, fill):
    project, _ = make(server, "reason", rows(4), fill)
    open_card(page, server.url(project, IN_ORDER))
    type_keys(page, "2d")
    page.keyboard.press("r")
    page.keyboard.type("promises a refund")
    page.keyboard.press("Enter")
    type_keys(page, "dk")
    wait_until_saved(page)
    assert [event["reason"] for event in log(project)] == ["Incomplete", "promises a refund", ""]


def test_a_note_is_kept_as_a_comment(server, page, fill):
    project, ids = make(server, "note", rows(2), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.locator("textarea.note").fill("ask Maria")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    wait_until_saved(page)
    assert [(e["record"], e["verdict"], e["reason"]) for e in log(project)] == [(ids[0], "comment", "ask Maria"), (ids[0], "flag", "")]


def test_keys_typed_into_a_field_and_held_keys_decide_nothing(server, page, fill):
    project, _ = make(server, "fields", rows(6), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.get_by_placeholder("Search question and answer").focus()
    page.keyboard.type("kdfsu")
    page.locator(".reading").focus()
    page.evaluate("() => { for (let i = 0; i < 5; i += 1) window.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', repeat: true })) }")
    page.keyboard.press("Control+d")
    assert unsaved(page) == 0 and log(project) == []


def test_the_keys_of_the_app_do_not_fire_on_the_card(server, page, fill):
    project, _ = make(server, "app-keys", rows(3), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.keyboard.press("c")  # Streamlit: clear caches
    page.keyboard.press("?")
    assert page.locator(".help-sheet").is_visible() and page.locator("[data-testid=stDialog]").count() == 0
    page.keyboard.press("k")  # the help is in front
    page.keyboard.press("Escape")
    assert page.locator(".help-sheet").count() == 0 and unsaved(page) == 0


def test_data_set_text_is_shown_and_never_run(server, page, fill):
    nasty = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>![](http://tracker.invalid/x.png)'
    record = Record((Message("user", nasty), Message("assistant", f'{{"a": "{nasty[:10]}"}}', name=nasty)), meta={nasty: nasty})
    project, _ = make(server, "nasty", [record], fill)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_card(page, server.url(project, IN_ORDER))
    page.keyboard.press("e")
    page.keyboard.press("Escape")
    assert nasty in page.locator(".turn.user .text").inner_text()
    assert page.evaluate("() => [window.hacked === undefined, review.element.querySelectorAll('img, script, iframe').length]") == [True, 0]
    assert not [url for url in asked if "tracker" in url]


def test_findings_are_marked_where_python_counted_them(server, page, fill):
    text = "😀😀 write to [NAME] 👩‍👩‍👧 today"
    start = text.index("[NAME]")
    project, ids = make(server, "marks", [chat("Hi", text)], fill)
    measured(project, "placeholder", ids, {ids[0]: [{"turn": 1, "start": start, "end": start + 6, "note": "not filled in"}]})
    open_card(page, server.url(project, "&check=placeholder"))
    assert page.locator("mark").all_inner_texts() == ["[NAME]"]
    page.locator("mark").focus()
    assert "not filled in" in page.locator(".tooltip").inner_text()


def test_rows_that_say_the_same_differently_stand_side_by_side(server, page, fill):
    project, ids = make(server, "twins", [chat("How long?", "Five days."), chat("How long?", "Seven days."), *rows(2)], fill)
    measured(project, "prompt_echo", ids, {ids[0]: [{"record": ids[1], "note": "another answer"}]})
    open_card(page, server.url(project, "&check=prompt_echo"))
    assert page.locator(".compare del").inner_text() == "Five" and page.locator(".compare ins").inner_text() == "Seven"
    page.keyboard.press("c")
    assert page.locator(".compare").count() == 0
    page.keyboard.press("c")
    page.get_by_text("Open it").click()
    page.wait_for_function(f"() => review.session.deck.current.id === '{ids[1]}'")


def test_two_tabs_decide_side_by_side_and_nothing_collides(server, page, browser, fill):
    project, ids = make(server, "tabs", rows(40), fill)
    other = page.context.new_page()
    open_card(page, server.url(project, IN_ORDER))
    open_card(other, server.url(project, "&order=random&seed=5"))
    for _ in range(6):
        type_keys(page, "k")
        type_keys(other, "d")
    wait_until_saved(page)
    wait_until_saved(other)
    assert len(log(project)) == 12 and sorted(v for _, v in decided(project)) == ["drop"] * 6 + ["keep"] * 6


def test_the_end_of_a_queue_says_so_and_leads_on(server, page, fill):
    project, ids = make(server, "end", rows(5), fill)
    measured(project, "placeholder", ids, {id: [{"note": "x"}] for id in ids[:2]})
    measured(project, "repetition", ids, {id: [{"note": "x"}] for id in ids[2:4]})
    open_card(page, server.url(project, "&check=placeholder"))
    type_keys(page, "kd")
    page.get_by_role("heading", name="All 2 rows decided").wait_for()
    page.get_by_role("button", name="Next: Answers that repeat themselves").click()
    page.wait_for_url("**check=repetition**")
    page.wait_for_function(f"() => review.session.deck.current && {json.dumps(ids[2:4])}.includes(review.session.deck.current.id)")


def test_skipped_rows_are_offered_again(server, page, fill):
    project, ids = make(server, "skipped", rows(3), fill)
    open_card(page, server.url(project, IN_ORDER))
    type_keys(page, "ksd")
    page.get_by_role("heading", name="1 row still undecided").wait_for()
    page.get_by_role("button", name="Show it again").click()
    assert page.evaluate("() => review.session.deck.current.id") == ids[1]


def test_the_fields_above_the_card_change_the_url_and_the_rows(server, page, fill):
    project, ids = make(server, "fields-above", rows(6), fill)
    decide(project, [Decision(ids[2], "drop")])
    open_card(page, server.url(project, IN_ORDER))
    page.get_by_label("State").click()
    page.get_by_role("option", name="Dropped · 1").click()
    page.wait_for_url("**state=drop**")
    page.wait_for_function(f"() => review.session.deck.current && review.session.deck.current.id === '{ids[2]}'")


def test_the_card_works_by_touch_on_a_small_screen(server, browser, fill):
    project, ids = make(server, "touch", rows(4), fill)
    context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    page = open_card(context.new_page(), server.url(project, IN_ORDER))
    keep = page.get_by_role("button", name="Keep")
    box = keep.bounding_box()
    assert box["height"] >= 44 and box["y"] + box["height"] <= 780  # in view without scrolling, wide enough for a thumb
    keep.tap()
    wait_until_saved(page)
    assert decided(project) == [(ids[0], "keep")]
    context.close()


def test_every_control_is_reached_and_used_by_keyboard_alone(server, page, fill):
    project, ids = make(server, "keyboard", rows(3), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.locator(".reading").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("() => review.root.activeElement.textContent") == "Keepk"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # presses the focused button; elsewhere it skips
    wait_until_saved(page)
    assert decided(project) == [(ids[0], "drop")]


def test_decisions_not_yet_confirmed_are_saved_from_whichever_page_is_opened_next(server, page, fill):
    project, ids = make(server, "left", rows(10), fill)
    open_card(page, server.url(project, IN_ORDER))
    page.evaluate("() => { review.session.outbox.transmit = () => {} }")  # the network is gone for a moment
    type_keys(page, "kdk")
    assert unsaved(page) == 3 and decided(project) == []
    page.get_by_role("link", name="Report").first.click()
    page.get_by_text("3 decisions from the review page saved").wait_for()
    assert decided(project) == [(ids[0], "keep"), (ids[1], "drop"), (ids[2], "keep")]
    # The message comes a moment before the answer that lets the browser forget its copy.
    page.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('winnow:unsaved:'))", timeout=20_000)
