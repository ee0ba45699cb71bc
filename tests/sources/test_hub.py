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


def test_rows_of_all_splits_are_downloaded_kept_and_imported(project, monkeypatch):
    import datasets

    from pipelines.sources import hub

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["card", "loan"])})
    train, test = (
        datasets.Dataset.from_dict({"text": [f"{name} {i}" for i in range(3)], "label": [0, 1, 1]}, features) for name in ("a", "b")
    )
    asked: list[tuple] = []

    def load_dataset(name: str, **options: object) -> datasets.IterableDatasetDict:
        asked.append((name, options))
        return datasets.IterableDatasetDict({"train": train.to_iterable_dataset(), "test": test.to_iterable_dataset()})

    monkeypatch.setattr(hub, "_check_reach", lambda name: None)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    seen = preview("org/name", rows=2)
    assert (seen.format, seen.rows) == ("classification", [{"text": "a 0", "label": "card"}, {"text": "a 1", "label": "loan"}])
    report = import_source(project, "org/name")
    assert (report.format, report.rows_read, report.records) == ("classification", 6, 6)
    (source,) = project.sources()
    assert source["name"] == "org/name"
    assert sorted(path.name for path in (project.folder / source["kept"]).iterdir()) == ["test.jsonl", "train.jsonl"]
    assert asked == [("org/name", {"streaming": True})] * 2


def test_what_the_hub_says_no_to_becomes_a_sentence(project, monkeypatch):
    import datasets

    from pipelines.sources import hub

    def load_dataset(name: str, **options: object) -> None:
        raise datasets.exceptions.DatasetNotFoundError(f"Dataset '{name}' doesn't exist on the Hub or cannot be accessed.\nMore.")

    monkeypatch.setattr(hub, "_check_reach", lambda name: None)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(WorkbenchError) as refused:
        import_source(project, "org/name")
    assert str(refused.value) == (
        "The data set org/name cannot be read from the hub: Dataset 'org/name' doesn't exist on the Hub or cannot be accessed. "
        "Download it and import its files."
    )
