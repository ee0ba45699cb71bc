"""What the views show, by project and revision."""

import pytest

from pipelines.curation.decisions import Decision, bulk, decide
from pipelines.curation.queue import Queue
from pipelines.scan import scan
from tests.conftest import chat
from tests.curation.measured import measure
from tests.workbench.app_test import fill_small
from workbench import queries


@pytest.fixture
def ids(project, fill):
    return fill_small(project, fill)


def ask(query, project, *rest):
    return query(str(project.folder), project.revision, *rest)


def test_a_decision_is_seen_at_once(project, ids):
    assert ask(queries.overview, project) == {"records": 6, "keep": 0, "drop": 0, "flag": 0}
    decide(project, [Decision(ids[0], "keep"), Decision(ids[1], "flag")])
    bulk(project, ids[2:4], "drop")
    assert ask(queries.overview, project) == {"records": 6, "keep": 1, "drop": 2, "flag": 1}


def test_whole_numbers_have_a_bar_each_and_every_row_is_in_one(project, ids):
    found = ask(queries.value_range, project, "ai_boilerplate")
    assert found["bars"][["from", "to", "rows"]].to_numpy().tolist() == [[-0.5, 0.5, 4], [0.5, 1.5, 1], [1.5, 2.5, 1]]
    assert (found["low"], found["high"], found["whole"], found["rows"]) == (0.0, 2.0, True, 6)


def test_other_numbers_fall_into_bars_from_the_smallest_to_the_largest(project, ids):
    measure(project, "repetition", dict(zip(ids, [0.0, 0.1, 0.25, 0.5, 1.0, None], strict=True)))
    found = ask(queries.value_range, project, "repetition")
    assert found["bars"]["rows"].sum() == found["rows"] == 5
    assert found["bars"]["from"].iloc[0] == 0.0 and found["bars"]["to"].iloc[-1] == pytest.approx(1.0)


def test_a_check_that_measured_nothing_has_no_bars(project, ids):
    assert ask(queries.value_range, project, "repetition")["rows"] == 0


def test_pages_of_a_table_follow_each_other(project, ids):
    queue = Queue(state="all", order="import")
    first, second = ask(queries.row_page, project, queue, 4, 0), ask(queries.row_page, project, queue, 4, 4)
    assert [*first["id"], *second["id"]] == ids
    assert first["row"].tolist() == [1, 2, 3, 4] and first["issues"].tolist() == [0, 0, 1, 1]


def test_the_map_says_how_many_rows_it_left_out(project, ids):
    points, rows = ask(queries.map_points, project, 4)
    assert (len(points), rows) == (4, 6)
    assert ask(queries.map_points, project, 4)[0]["id"].tolist() == points["id"].tolist(), "the sample is the same each time"


def test_rows_of_a_new_part_count_as_not_scanned(project, ids):
    assert ask(queries.unscanned_rows, project) == 6, "the test wrote measurements of a few checks only"


def test_a_scan_without_the_encoder_leaves_only_the_map_to_do(project, fill):
    fill(project, [chat("Is it open?", "Yes."), chat("Is it closed?", "No.")])
    assert ask(queries.unmapped_rows, project) == 2
    scan(project, without=("embeddings",))
    assert (ask(queries.unscanned_rows, project), ask(queries.unmapped_rows, project)) == (0, 2)


def test_other_columns_of_the_source_can_be_grouped_by(project, fill):
    from tests.conftest import chat

    fill(project, [chat("Q", "A", customer="7", region="north")])
    assert ask(queries.meta_columns, project) == ["customer", "region"]
