"""Bulk actions: many decisions at once, listed and taken back as one."""

from pipelines.curation.bulk_actions import bulk_actions
from pipelines.curation.decisions import Decision, bulk, decide, undo


def test_a_batch_is_one_action_and_single_decisions_are_none(project):
    batch = bulk(project, ["a", "b", "c"], "drop", reason="spam")
    decide(project, [Decision("d", "keep")])
    (action,) = bulk_actions(project)
    assert (action.batch, action.verdict, action.reason, action.records, action.standing) == (batch, "drop", "spam", 3, 3)


def test_an_undone_batch_is_gone_and_a_half_undone_one_says_what_stands(project):
    whole, half = bulk(project, ["a"], "drop"), bulk(project, ["b", "c"], "keep")
    undo(project, batch=whole)
    undo(project, seq=2)
    (action,) = bulk_actions(project)
    assert (action.batch, action.records, action.standing) == (half, 2, 1)


def test_newest_comes_first_and_a_limit_holds(project):
    first, second = bulk(project, ["a"], "drop"), bulk(project, ["b"], "keep")
    assert [a.batch for a in bulk_actions(project)] == [second, first]
    assert [a.batch for a in bulk_actions(project, limit=1)] == [second]
