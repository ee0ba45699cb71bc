"""A preview shows what an import would make of the first rows, at once."""

import json
import time

import pytest

from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.sources.ingest import preview


def test_rows_records_and_rejections_are_shown_with_the_reasons_for_the_format(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Question;Answer;Source\nQ1;A1;web\nQ2;A2\nQ3;A3;book\n")
    seen = preview(path, rows=1)
    assert seen.format == "qa"
    assert seen.mapping == {"question": "Question", "answer": "Answer"}
    assert seen.columns == ["Question", "Answer", "Source"]
    assert seen.fields == ["question", "answer", "system", "history"]
    assert seen.rows == [{"Question": "Q1", "Answer": "A1", "Source": "web"}]
    assert seen.records == [Record((Message("user", "Q1"), Message("assistant", "A1")), meta={"Source": "web"})]
    assert [str(one) for one in seen.rejected] == ["a.csv row 2: It has 2 cells, the header has 3. Add the missing cell."]
    assert seen.formats["qa"] == "2 of the first 2 rows fit (question in Question, answer in Answer)."
    assert seen.formats["sharegpt"] == "No column for conversations."


def test_an_unknown_format_shows_its_rows_and_asks_for_a_mapping(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("frage,antwort\nQ,A\n")
    seen = preview(path)
    assert (seen.format, seen.mapping, seen.columns, seen.records) == ("", {}, ["frage", "antwort"], [])
    assert {"question", "answer", "messages", "text", "label"} <= set(seen.fields)
    assert seen.rejected[0].row == 1
    mapped = preview(path, mapping={"question": "frage", "answer": "antwort"})
    assert (mapped.format, mapped.mapping) == ("qa", {"question": "frage", "answer": "antwort"})
    assert mapped.records == [Record((Message("user", "Q"), Message("assistant", "A")))]


def test_a_wrong_column_is_refused_with_the_columns_there_are(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("frage,antwort\nQ,A\n")
    with pytest.raises(WorkbenchError) as refused:
        preview(path, mapping={"question": "frage", "answer": "answer"})
    assert str(refused.value) == 'There is no column "answer" for answer. The columns are: frage, antwort.'


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "parquet"])
def test_a_big_file_is_previewed_within_a_second(tmp_path, ending):
    path = tmp_path / f"big.{ending}"
    if ending == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        column = pa.array([f"{i} " + "word " * 20 for i in range(500_000)])
        pq.write_table(pa.table({"question": column, "answer": column}), path)
    else:
        line = {"question": "word " * 20, "answer": "word " * 20}
        rows = {"jsonl": json.dumps(line) + "\n", "json": json.dumps(line) + ",\n", "csv": ",".join(line.values()) + "\n"}
        start = {"jsonl": "", "json": "[", "csv": "question,answer\n"}
        with path.open("w") as file:
            file.write(start[ending])
            for _ in range(500):
                file.write(rows[ending] * 1000)
            file.write(json.dumps(line) + "]" if ending == "json" else "")
    preview(path)  # the first call also loads code
    began = time.process_time()
    assert len(preview(path).records) == 20
    assert time.process_time() - began < 1


def test_a_folder_is_judged_by_its_first_file_with_rows(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.jsonl").write_text('{"text": "T", "label": "x"}\n')
    seen = preview(tmp_path)
    assert (seen.format, seen.notes) == ("classification", ["a.jsonl: empty, it holds no rows"])
