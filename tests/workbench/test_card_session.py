"""What a tab knows of its queue: counts that follow every decision, rows passed over, nothing unsaved forgotten. Run as JavaScript."""

from tests.workbench.browser import run_javascript

WORLD = """
  const world = { time: 1e12, sent: [] };
  const session = new Session({ project: "p", storage: null, now: () => world.time, transmit: (message) => world.sent.push(message) });
  const card = (id, verdict = null) => ({ id, kind: "chat", messages: [], chosen: [], rejected: [], findings: [], others: {}, verdict, edit: null });
  const facts = { state: "undecided", check: null, search: "", reasons: [] };
  const hear = (more = {}) => {
    const message = world.sent[world.sent.length - 1] || { tab: null, turn: 0, events: [], asked: null };
    return session.receive({
      project: "p", queue: "a", tab: message.tab, answered: message.turn, asked: message.asked ?? null, refused: {}, trouble: null, facts,
      acked: Object.fromEntries(message.events.map((e) => [e.client_id, e.n])), opened: null, recent: null, tally: null, cards: [], ...more,
    });
  };
  const begin = (ids, tally = { total: ids.length, left: ids.length, today: 0, next: null }) =>
    hear({ cards: ids.map((id) => card(id)), cursor: ids[ids.length - 1], isEnd: true, tally, recent: [] });
  const decide = (verdict) => { session.record({ verdict }); session.advance(); };
"""


def session(body: str) -> object:
    return run_javascript(WORLD + body, session="Session")


def test_counts_follow_every_decision_and_undo_whether_confirmed_or_not():
    assert session("""
      begin(["x", "y", "z"]);
      const left = [session.counts.left];
      decide("keep");
      left.push(session.counts.left);
      hear();
      left.push(session.counts.left);
      decide("skip");
      left.push(session.counts.left);
      session.undo();
      session.undo();
      left.push(session.counts.left);
      return left;
    """) == [3, 2, 2, 2, 3]


def test_counts_that_arrive_while_decisions_are_on_their_way_count_none_twice():
    assert session("""
      begin(["x", "y", "z"]);
      decide("keep");
      decide("drop");
      hear({ tally: { total: 3, left: 2, today: 1, next: null } }); // the server had the first one only
      return [session.counts.left, session.counts.today];
    """) == [1, 2]


def test_deciding_again_about_a_decided_row_leaves_the_count_alone():
    assert (
        session("""
      begin(["x", "y"]);
      session.deck.add([card("old", "drop")]);
      session.deck.standOn("old");
      decide("keep");
      return session.counts.left;
    """)
        == 2
    )


def test_another_queue_begins_anew_and_keeps_what_is_unsaved():
    assert session("""
      begin(["x", "y"]);
      decide("keep");
      const isOther = hear({ queue: "b", acked: {}, cards: [card("x"), card("q")], cursor: "q", isEnd: true });
      return [isOther, session.outbox.events.map((e) => e.record), session.deck.current.id];
    """) == [True, ["x"], "q"]


def test_a_refused_decision_leaves_its_row_undecided_and_is_told():
    assert session("""
      begin(["x", "y"]);
      decide("keep");
      const [event] = session.outbox.events;
      hear({ acked: {}, refused: { [event.client_id]: "No such row." } });
      return [session.isDone("x"), session.refused.map((r) => r.why), session.counts.left];
    """) == [False, ["No such row."], 2]


def test_an_undo_before_the_confirmation_names_the_decision_by_the_browsers_id():
    assert session("""
      begin(["x"]);
      decide("keep");
      const [kept] = session.outbox.events;
      session.undo();
      const undo = session.outbox.events[1];
      return [undo.undoes, undo.undoes_client === kept.client_id];
    """) == [None, True]


def test_an_undo_after_the_confirmation_names_it_by_number():
    assert (
        session("""
      begin(["x"]);
      decide("keep");
      hear();
      session.undo();
      return session.outbox.events[0].undoes;
    """)
        == 1
    )


def test_more_cards_are_asked_for_once_while_there_is_a_store_of_them():
    assert session("""
      hear({ cards: Array.from({ length: 12 }, (_, i) => card(`c${i}`)), cursor: "c11", isEnd: false });
      session.fetch();
      session.fetch();
      const first = world.sent.map((m) => [m.after, m.rows]);
      hear({ cards: Array.from({ length: 100 }, (_, i) => card(`d${i}`)), cursor: "d99", isEnd: false, recent: [], tally: { total: 999, left: 999, today: 0, next: null } });
      session.fetch();
      return [first, world.sent.length, session.deck.ahead];
    """) == [[["c11", 100]], 1, 111]


def test_a_row_that_does_not_exist_is_asked_for_once():
    assert session("""
      begin(["x"]);
      session.wanted = "gone";
      session.fetch();
      hear();
      session.fetch();
      return [world.sent.map((m) => m.open), session.wanted];
    """) == [["gone"], None]


def test_the_end_asks_for_exact_counts_and_where_to_go_on():
    assert session("""
      begin(["x"]);
      decide("keep");
      session.fetch();
      hear();
      const asked = world.sent.some((m) => m.tally);
      hear({ tally: { total: 1, left: 0, today: 1, next: [] } });
      session.fetch();
      return [asked, session.counts.left, session.outbox.wantsSend];
    """) == [True, 0, False]


def test_decisions_of_an_earlier_sitting_can_be_undone_and_are_not_counted():
    assert session("""
      hear({ cards: [card("x")], cursor: "x", isEnd: true, tally: { total: 2, left: 1, today: 1, next: null },
             recent: [{ seq: 7, client_id: "old", record: "w", verdict: "drop", reason: "", title: "Old" }] });
      const before = session.counts.left;
      session.undo();
      return [before, session.outbox.events[0].undoes, session.tally.isStale];
    """) == [1, 7, True]
