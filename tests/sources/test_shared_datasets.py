"""Public data sets come in under the right format, with counts that add up."""

from pathlib import Path

import pytest

from pipelines.sources.ingest import import_source, preview

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the folder shared/datasets beside the checkout")

EXPECTED = {  # rows, rows that repeat an earlier one, format
    "alpaca_en_demo.json": (999, 14, "alpaca"),
    "alpaca_zh_demo.json": (1000, 8, "alpaca"),
    "banking77_test.csv": (3080, 0, "classification"),
    "banking77_train.csv": (10003, 0, "classification"),
    "dpo_en_demo.json": (300, 5, "preference"),
    "glaive_toolcall_en_demo.json": (300, 35, "sharegpt"),
    "gpteacher_codegen.json": (4535, 0, "alpaca"),
    "gpteacher_roleplay.json": (1923, 0, "alpaca"),
    "gsm8k_test.jsonl": (1319, 0, "qa"),
    "gsm8k_train.jsonl": (7473, 0, "qa"),
    "kto_en_demo.json": (300, 0, "unpaired_preference"),
    "pubmedqa_pqal.json": (1000, 0, "context_qa"),
    "self_instruct_seed_tasks.jsonl": (175, 0, "self_instruct"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_public_data_set_is_recognised_and_read_whole(project, name):
    rows, repeated, form = EXPECTED[name]
    assert preview(SHARED / name).format == form
    report = import_source(project, SHARED / name)
    assert (report.format, report.rows_read, report.duplicate_rows, report.rejected) == (form, rows, repeated, 0)
    assert report.records == rows - repeated
    assert report.formats == {form: rows}


def test_the_whole_folder_is_imported_at_once(project):
    report = import_source(project, SHARED)
    assert report.rows_read == sum(rows for rows, _, _ in EXPECTED.values()) == report.records + report.duplicate_rows
    assert report.rejected == 0
    assert set(report.formats) == {form for _, _, form in EXPECTED.values()}
