"""Archives and compressed files, read as they are."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pytest
from backports import zstd

from pipelines.errors import WorkbenchError
from pipelines.sources.ingest import import_source
from pipelines.sources.preview import preview
from pipelines.store.project import Project

ROWS = [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(5)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
CSV = b"question,answer\nWhat is red?,A colour.\nWhat is up?,The sky.\n"


@pytest.fixture
def project(tmp_path):
    return Project.create(tmp_path / "project")


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def reasons(report):
    with open(report.quarantine, encoding="utf-8") as file:
        return {row["file"]: row["reason"] for row in map(json.loads, file)}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
@pytest.mark.parametrize("name", ["rows.jsonl.packed", "rows.csv"])
def test_compressed_files_are_known_by_what_they_hold(project, tmp_path, pack, name):
    (tmp_path / name).write_bytes(pack(CSV if name.endswith("csv") else LINES))
    assert import_source(project, tmp_path / name).records == (2 if name.endswith("csv") else 5)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_compressed_file_that_ends_early_gives_what_it_has_and_says_so(project, tmp_path, pack):
    long = "".join(json.dumps({"question": f"What is {n}?", "answer": f"{n * 7919 % 104729}"}) + "\n" for n in range(60_000)).encode()
    packed = pack(long)
    (tmp_path / "rows.jsonl.x").write_bytes(packed[: len(packed) * 9 // 10])
    try:
        report = import_source(project, tmp_path / "rows.jsonl.x")
    except WorkbenchError as error:  # bzip2 and xz may hold all of it in one block
        assert "damaged" in str(error)
        return
    assert report.rows_read == report.records + report.duplicate_rows + report.rejected
    assert any("damaged" in reason for reason in reasons(report).values())


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.zst"])
def test_the_files_of_an_archive_are_read_like_those_of_a_folder(project, tmp_path, kind):
    members = {"in/a.jsonl": LINES, "b.csv": CSV, "notes.md": b"Read me."}
    path = tmp_path / f"rows.{kind}"
    if kind == "zip":
        zipped(path, members)
    elif kind == "tar.zst":
        tarred(path, members, "w")
        path.write_bytes(zstd.compress(path.read_bytes()))
    else:
        tarred(path, members, "w" if kind == "tar" else "w:gz")
    assert preview(path).format
    report = import_source(project, path)
    assert (report.records, report.rejected) == (7, 0)
    assert any("notes.md" in note for note in report.notes)
    assert not list(project.folder.rglob("unpacked"))


def test_an_archive_in_an_archive_is_opened_once(project, tmp_path):
    inner = zipped(tmp_path / "inner.zip", {"rows.csv": CSV}).read_bytes()
    assert import_source(project, zipped(tmp_path / "outer.zip", {"inner.zip": inner})).records == 2


def test_what_leads_out_of_an_archive_is_set_aside_and_the_rest_comes_in(project, tmp_path):
    path = zipped(tmp_path / "rows.zip", {"../../evil.csv": CSV, "/etc/evil.csv": CSV, "good.csv": CSV})
    report = import_source(project, path)
    assert (report.records, report.rejected, report.rows_read) == (2, 2, 4)
    assert all("leads out" in reason for reason in reasons(report).values())
    assert not list(tmp_path.rglob("evil.csv"))


def test_links_are_not_followed(project, tmp_path):
    path = tmp_path / "rows.tar"
    tarred(path, {"good.csv": CSV}, "w")
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    report = import_source(project, path)
    assert (report.records, report.rejected) == (2, 1)
    assert "a link and not a file" in next(iter(reasons(report).values()))


def test_an_archive_that_grows_without_measure_is_stopped(project, tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.sources.archive.MIN_BOMB_BYTES", 1_000_000)
    monkeypatch.setattr("pipelines.sources.archive.MAX_RATIO", 100)
    path = zipped(tmp_path / "bomb.zip", {"a.csv": CSV, "bomb.jsonl": b" " * 50_000_000})
    report = import_source(project, path)
    assert (report.records, report.rejected) == (2, 1)
    assert "100 times its size" in next(iter(reasons(report).values()))


def test_an_archive_without_rows_or_that_is_damaged_is_refused_in_a_sentence(project, tmp_path):
    with pytest.raises(WorkbenchError, match="holds no file that can be read"):
        import_source(project, zipped(tmp_path / "empty.zip", {"readme.md": b"Hello."}))
    good = zipped(tmp_path / "good.zip", {"a.csv": CSV}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(good[: len(good) - 30])
    with pytest.raises(WorkbenchError, match=r"damaged|archive"):
        import_source(project, tmp_path / "cut.zip")
