"""The card's own half of the protocol: what is kept, sent, repeated and forgotten. Run under node, or in Chromium."""

from tests.workbench.browser import run_javascript

WORLD = """
  const world = { time: 1e12, sent: [], disk: new Map() };
  const storage = {
    getItem: (key) => world.disk.get(key) ?? null,
    setItem: (key, value) => {
      if (world.isFull) throw new Error("full");
      world.disk.set(key, value);
      storage[key] = value;
    },
    removeItem: (key) => {
      world.disk.delete(key);
      delete storage[key];
    },
  };
  for (const name of ["getItem", "setItem", "removeItem"]) Object.defineProperty(storage, name, { enumerable: false });
  const tab = (name) => new Outbox({ project: "p", storage, tab: name, now: () => world.time, transmit: (m) => world.sent.push(m) });
  const says = (message) => message.events.map((event) => event.record).join("");
  const answer = (message, ids = message.events.map((e) => e.client_id)) => ({
    tab: message.tab, answered: message.turn, acked: Object.fromEntries(ids.map((id, i) => [id, i + 1])), refused: {}, trouble: null,
  });
"""


def outbox(body: str) -> object:
    return run_javascript(WORLD + body, outbox="Outbox")


def test_the_first_decision_goes_at_once_and_the_others_with_the_next_message():
    assert outbox("""
      const box = tab("one");
      for (const record of ["a", "b", "c"]) box.add({ record });
      box.settle(answer(world.sent[0]));
      return world.sent.map(says);
    """) == ["a", "bc"]


def test_what_is_not_answered_is_sent_again_with_all_that_came_in_since():
    assert outbox("""
      const box = tab("one");
      box.add({ record: "a" });
      box.add({ record: "b" });
      world.time += 1900;
      box.tick();
      world.time += 200;
      box.tick();
      return world.sent.map(says);
    """) == ["a", "ab"]


def test_a_confirmed_decision_is_never_sent_again():
    assert outbox("""
      const box = tab("one");
      box.add({ record: "a" });
      box.add({ record: "b" });
      box.settle(answer(world.sent[0]));
      box.settle(answer(world.sent[1]));
      world.time += 60000;
      box.tick();
      return [world.sent.map(says), box.events.length, world.disk.size];
    """) == [["a", "b"], 0, 0]


def test_a_late_answer_to_an_earlier_message_confirms_but_the_latest_is_still_awaited():
    assert outbox("""
      const box = tab("one");
      box.add({ record: "a" });
      const first = world.sent[0];
      box.add({ record: "b" });
      world.time += 2100;
      box.tick();
      box.settle(answer(first));
      return [box.events.map((e) => e.record), box.inFlight !== null];
    """) == [["b"], True]


def test_decisions_the_server_could_not_write_stay_and_are_sent_again():
    assert outbox("""
      const box = tab("one");
      box.add({ record: "a" });
      box.settle({ ...answer(world.sent[0], []), trouble: "disk full" });
      world.time += 2100;
      box.tick();
      return world.sent.map(says);
    """) == ["a", "a"]


def test_a_refused_decision_is_given_back_with_the_reason():
    assert outbox("""
      const box = tab("one");
      box.add({ record: "a" });
      const refused = { [world.sent[0].events[0].client_id]: "no such row" };
      const settled = box.settle({ ...answer(world.sent[0], []), refused });
      return [settled.map(({ event, seq, why }) => [event.record, seq, why]), box.events.length];
    """) == [[["a", None, "no such row"]], 0]


def test_a_tab_takes_over_what_a_closed_tab_left():
    assert outbox("""
      const closed = tab("one");
      closed.add({ record: "a" });
      closed.add({ record: "b" });
      closed.release();
      const opened = tab("two");
      const taken = opened.adopt().map((event) => event.record);
      return [taken, says(world.sent[1]), [...world.disk.keys()]];
    """) == [["a", "b"], "ab", ["winnow:unsaved:p:two"]]


def test_a_tab_that_lives_keeps_its_own():
    assert (
        outbox("""
      tab("one").add({ record: "a" });
      world.time += 14000;
      return tab("two").adopt().length;
    """)
        == 0
    )


def test_what_a_crashed_tab_left_is_taken_over_when_it_has_been_silent():
    assert (
        outbox("""
      tab("one").add({ record: "a" });
      world.time += 16000;
      return tab("two").adopt().length;
    """)
        == 1
    )


def test_two_tabs_never_make_the_same_id():
    assert (
        outbox("""
      const ids = [tab("one"), tab("two")].flatMap((box) => Array.from({ length: 500 }, () => box.add({ record: "a" }).client_id));
      return new Set(ids).size;
    """)
        == 1000
    )


def test_a_full_browser_storage_loses_nothing_and_is_noticed():
    assert outbox("""
      world.isFull = true;
      const box = tab("one");
      box.add({ record: "a" });
      return [box.isStored, box.events.length, says(world.sent[0])];
    """) == [False, 1, "a"]


def test_damaged_leftovers_are_passed_over():
    assert outbox("""
      storage.setItem("winnow:unsaved:p:x", "{not json");
      storage.setItem("winnow:unsaved:other:y", "keep me");
      return [tab("one").adopt().length, [...world.disk.keys()]];
    """) == [0, ["winnow:unsaved:other:y"]]


def history(body: str) -> object:
    return run_javascript(
        """const history = new History();
        const did = (record, verdict, seconds = 1) => history.add({ record, verdict, seconds, client_id: `${record}-${verdict}-${history.entries.length}` });
        """
        + body,
        deck="History, Deck",
    )


def test_undo_takes_back_the_newest_decision_and_the_one_before_stands_again():
    assert history("""
      did("a", "keep");
      did("a", "drop");
      const taken = history.takeBack().event.verdict;
      return [taken, history.latest("a").verdict, history.takeBack().event.verdict, history.latest("a"), history.takeBack()];
    """) == ["drop", "keep", "keep", None, None]


def test_the_pace_is_measured_over_the_last_decisions_and_a_pause_counts_two_minutes():
    assert history(
        "did('a', 'keep', 5); did('b', 'drop', 7); const early = history.pace(); did('c', 'keep', 3600); return [early, history.pace()];"
    ) == [
        None,
        (5 + 7 + 120) / 3,
    ]


def test_a_skip_and_a_comment_are_no_verdict():
    assert history("did('a', 'skip'); did('b', 'comment'); did('c', 'edit'); did('c', 'keep'); return history.standing();") == 1


def test_going_on_passes_over_rows_that_are_decided_and_cards_come_once():
    assert history("""
      const deck = new Deck("q");
      const card = (id) => ({ id });
      deck.add([card("a"), card("b"), card("c")]);
      deck.add([card("b"), card("c"), card("d")]);
      deck.advance((id) => id === "b");
      const third = deck.current.id;
      deck.advance(() => true);
      return [deck.order, third, deck.current, deck.at];
    """) == [["a", "b", "c", "d"], "c", None, 4]
