"""What the user named is found whole, in a fixed order, and nothing else."""

import os

import pytest

from pipelines.errors import WorkbenchError
from pipelines.sources.locate import locate


def test_a_folder_is_walked_in_a_fixed_order_without_what_is_hidden(tmp_path):
    for name in ("b.csv", "a/z.JSONL.GZ", "a/b.json", ".git/c.json", "a/.d.json", "B.tsv", "a/readme.txt", "a/dataset_info.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = locate(tmp_path)
    assert [file.name for file in found.files] == ["B.tsv", "b.csv", "a/b.json", "a/z.JSONL.GZ"]
    assert found.not_read == ("a/dataset_info.json", "a/readme.txt")
    assert found.size == 4


def test_a_link_in_a_circle_is_not_followed(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}")
    (tmp_path / "again").symlink_to(tmp_path)
    assert [file.name for file in locate(tmp_path).files] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.mkdir(), "The folder {path} holds no file that can be read. It needs files ending in .jsonl, .ndjson, "),
        (lambda path: (path.mkdir(), (path / "a.jsonl").touch()), "All 1 files of the folder {path} are empty. Choose another folder."),
        (lambda path: os.mkfifo(path), "{path} is neither a file nor a folder. Save its rows to a file first."),
        (lambda path: path.touch(), "source is empty: it holds no rows. Choose another file."),
        (lambda path: None, "There is no file or folder {path}. Check the path."),
        (
            lambda path: (path.mkdir(), (path / "dataset_dict.json").write_text("{")),
            "{path}/dataset_dict.json is damaged. Save the data set again with save_to_disk.",
        ),
    ],
)
def test_what_holds_nothing_to_read_is_refused_with_one_sentence(tmp_path, make, sentence):
    path = tmp_path / "source"
    make(path)
    with pytest.raises(WorkbenchError) as refused:
        locate(path)
    assert str(refused.value).startswith(sentence.format(path=path))
