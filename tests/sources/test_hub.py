"""Names of data sets on the hub are told from paths, and without a network the user learns so at once."""

import time
from pathlib import Path

import pytest

from pipelines.errors import WorkbenchError
from pipelines.sources.ingest import import_source, preview
from pipelines.sources.locate import hub_id


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("openai/gsm8k", "openai/gsm8k"),
        ("hf://openai/gsm8k", "openai/gsm8k"),
        ("hf://datasets/openai/gsm8k/", "openai/gsm8k"),
        ("rows.jsonl", None),
        ("folder/rows.jsonl", None),
        ("folder/rows.csv.gz", None),
        ("./folder/rows", None),
        ("../rows", None),
        ("/a/b", None),
        ("a/b/c", None),
        (Path("openai/gsm8k"), None),
    ],
)
def test_names_on_the_hub_are_told_from_paths(source, name):
    assert hub_id(source) == name


def test_a_folder_that_is_there_is_not_looked_for_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert hub_id("org/name") is None
    assert hub_id("hf://org/name") == "org/name"


def test_without_the_hub_one_sentence_says_what_to_do(project):
    began = time.monotonic()
    with pytest.raises(WorkbenchError) as refused:
        import_source(project, "org/name")
    assert (
        str(refused.value)
        == "org/name is not here, and HF_HUB_OFFLINE forbids looking for it on the hub. Download it and import its files."
    )
    with pytest.raises(WorkbenchError):
        preview("hf://org/name")
    assert time.monotonic() - began < 15
    assert project.sources() == []


def test_without_a_network_one_sentence_says_so(project, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "https://127.0.0.1:9")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(WorkbenchError) as refused:
        preview("org/name")
    assert str(refused.value) == (
        "There is no file or folder org/name here, and the hub cannot be reached to look for a data set of that name. "
        "Check the path or the network, or import files from this machine."
    )
