"""Measuring files of records: batches may come back in any order, and a file is finished as a whole."""

import pyarrow.parquet as pq
import pytest

import pipelines.measurement as module
from pipelines.checks import all_checks
from pipelines.executor import InTurn
from pipelines.measurement import measure_here, measured_file, unmeasured
from pipelines.record_features import ROW_PROFILE, feature_file, record_feature
from tests.conftest import chat

CHECKS = [all_checks()[name] for name in ("empty_turn", "no_answer")]


class Backwards:
    """An executor whose last part is the first to be done."""

    def map(self, function, parts):
        return iter([function(part) for part in parts][::-1])


@pytest.mark.parametrize("executor", [InTurn(), Backwards()])
def test_rows_keep_their_order_whatever_batch_is_done_first(project, fill, monkeypatch, executor):
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    ids = fill(project, [chat("?" * n, "" if n == 3 else "Yes.") for n in range(1, 6)])
    measured = list(measure_here(project, unmeasured(project, CHECKS, [ROW_PROFILE]), executor))
    assert [(m.records, set(m.seconds)) for m in measured] == [(5, {"empty_turn", "no_answer", ROW_PROFILE})]
    found = pq.read_table(measured_file(project, CHECKS[0], project.record_parts[0]))
    assert dict(zip(found["id"].to_pylist(), found["value"].to_pylist(), strict=True)) == dict(zip(ids, [0, 0, 1, 0, 0], strict=True))
    assert record_feature(project, ROW_PROFILE)["prompt"].to_pylist() == [1, 2, 3, 4, 5]


def test_a_file_without_rows_is_measured_too(project, fill):
    fill(project, [])
    assert [m.records for m in measure_here(project, unmeasured(project, CHECKS, [ROW_PROFILE]), InTurn())] == [0]
    assert unmeasured(project, CHECKS, [ROW_PROFILE]) == []


def test_only_what_is_missing_is_measured(project, fill):
    fill(project, [chat("Is it open?", "Yes.")])
    list(measure_here(project, unmeasured(project, CHECKS, [ROW_PROFILE]), InTurn()))
    measured_file(project, CHECKS[1], project.record_parts[0]).unlink()
    feature_file(project, ROW_PROFILE, project.record_parts[0]).unlink()
    (work,) = unmeasured(project, CHECKS, [ROW_PROFILE])
    assert (work.checks, work.features) == ((CHECKS[1],), (ROW_PROFILE,))


def test_long_rows_are_measured_few_at_a_time(project, fill, monkeypatch):
    monkeypatch.setattr(module, "_BATCH_BYTES", 10_000)
    fill(project, [chat("?", str(n) + "x" * 4_000) for n in range(6)])
    seen = []
    monkeypatch.setattr(module, "_measure_slice", lambda of: seen.append(of.records.num_rows) or measure_slice(of))
    list(measure_here(project, unmeasured(project, CHECKS), InTurn()))
    assert sum(seen) == 6 and max(seen) < 6


measure_slice = module._measure_slice


def test_a_feature_is_computed_when_a_scan_did_not_and_holds_for_rows_that_come_later(project, fill):
    fill(project, [chat("One?", "Yes, 2024.")])
    assert record_feature(project, ROW_PROFILE)["answer"].to_pylist() == [10]
    fill(project, [chat("Two?", "No.")], part="0002-test-00000")
    assert record_feature(project, ROW_PROFILE, columns=["answer", "years"]).to_pylist() == [
        {"answer": 10, "years": True},
        {"answer": 3, "years": False},
    ]
