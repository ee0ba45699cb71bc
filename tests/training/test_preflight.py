import json

import pyarrow.parquet as pq
import pytest

from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.training.config import RunConfig
from pipelines.training.preflight import TOKENS, needs_tools, preflight, read_split, snapshot_folder, store_preflight
from tests.tokens.test_template import CALL, TOOLS
from tests.training.conftest import exchange

ROWS = [exchange("q", f"a{i}") for i in range(6)]


def config(base: str, **settings) -> RunConfig:
    return RunConfig(**{"snapshot": "snap-1", "base": base, "steps": 2, "device": "cpu"} | settings)


def test_a_split_is_read_as_it_was_written(project, freeze):
    freeze(project, ROWS)
    assert list(read_split(snapshot_folder(project, "snap-1"), "train")) == [(record.id, record) for record in ROWS]


def test_both_splits_have_a_ledger_and_shared_rows_are_named(project, freeze, tiny_base):
    freeze(project, [*ROWS, Record((Message("user", "q"),))], [ROWS[0], exchange("v", "longer answer"), exchange("v", "a")])
    found = preflight(project, config(tiny_base))
    assert (found.splits.train_ledger.rows_in, found.splits.train_ledger.trained) == (7, 6)
    assert found.splits.validation_ledger.rows_in == 3 and found.splits.in_both == 1
    assert "1 rows stand in both" in " ".join(found.warnings)
    lengths = found.splits.validation.column("tokens").to_pylist()
    assert lengths == sorted(lengths)
    assert json.loads(json.dumps(found.to_json()))["train"]["dropped"] == {"no answer to train on": [Record((Message("user", "q"),)).id]}


def test_only_so_many_validation_rows_are_looked_at_but_all_are_counted(project, freeze, tiny_base):
    freeze(project, ROWS, [exchange("v", f"a{i}") for i in range(9)])
    found = preflight(project, config(tiny_base, eval_rows=4))
    assert found.splits.validation.num_rows == 4 and found.splits.validation_ledger.trained == 9


def test_the_hash_follows_the_tokens(project, freeze, tiny_base):
    freeze(project, ROWS)
    freeze(project, ROWS[::-1], snapshot="snap-2")
    one, again = preflight(project, config(tiny_base)), preflight(project, config(tiny_base, learning_rate=1.0))
    turned = preflight(project, config(tiny_base, snapshot="snap-2"))
    cut = preflight(project, config(tiny_base, max_length=23, over_length="truncate"))
    assert one.dataset_hash == again.dataset_hash
    assert len({one.dataset_hash, turned.dataset_hash, cut.dataset_hash}) == 3


def test_a_run_that_goes_on_reads_the_tokens_it_began_with(project, freeze, tiny_base, tmp_path):
    freeze(project, ROWS, ROWS[:2])
    began = preflight(project, config(tiny_base))
    store_preflight(began, tmp_path)
    freeze(project, [exchange("other", "rows")])
    found = preflight(project, config(tiny_base), run_folder=tmp_path)
    assert found.dataset_hash == began.dataset_hash and found.splits.train_ledger == began.splits.train_ledger
    assert found.splits.validation.equals(began.splits.validation)


def test_tokens_that_were_changed_since_are_refused(project, freeze, tiny_base, tmp_path):
    freeze(project, ROWS)
    store_preflight(preflight(project, config(tiny_base)), tmp_path)
    path = tmp_path / TOKENS / "train.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(WorkbenchError, match="not the ones this run began with"):
        preflight(project, config(tiny_base), run_folder=tmp_path)


@pytest.mark.parametrize(
    "record",
    [
        Record(exchange("a", "b").messages, tools=TOOLS),
        Record((Message("user", "q"), Message("assistant", "", tool_calls=CALL))),
        Record((Message("tool", "r"), Message("assistant", "b"))),
        Record((Message("user", "q"),), kind="preference", chosen=(Message("assistant", "", tool_calls=CALL),)),
    ],
)
def test_rows_with_tools_are_noticed_wherever_they_are(project, freeze, record):
    freeze(project, ROWS, [record])
    assert needs_tools(snapshot_folder(project, "snap-1"))
    freeze(project, ROWS, ROWS, snapshot="plain")
    assert not needs_tools(snapshot_folder(project, "plain"))


def test_an_unfinished_snapshot_is_not_used(project, freeze):
    freeze(project, ROWS)
    (project.snapshots_folder / "snap-1" / "manifest.json").unlink()
    with pytest.raises(WorkbenchError, match=r"no finished snapshot snap-1\. Make one first"):
        snapshot_folder(project, "snap-1")
