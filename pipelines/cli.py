"""The command line: every button of the app as a command, with the same implementation.

Exit status 0: done. 1: something the user can act on, in one sentence on stderr. 2: wrong usage.
Nothing heavy is imported before the command is known.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines import __version__, commands, quarantine_commands, rule_commands
from pipelines.errors import Cancelled, WorkbenchError

DEFAULT_PROJECT = "data/projects/default"
FORMATS = (
    "auto", "openai", "sharegpt", "alpaca", "qa", "prompt_completion", "preference", "unpaired_preference",
    "ranked_preference", "classification", "context_qa", "nested_qa", "self_instruct", "alternating", "message_tree", "rendered",
)  # fmt: skip
EXPORTS = ("openai", "sharegpt", "alpaca", "csv", "parquet", "datasets")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "command"):
        parser.print_help()
        return 2
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        answer = options.command(options)
        if answer is not None:
            shown, words = answer
            print(json.dumps(shown, ensure_ascii=False) if options.json else words, flush=True)
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return 1
    except (Cancelled, KeyboardInterrupt):
        print("Stopped. What was finished is kept.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output went away, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    return 0


_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def _sentence(error: Exception) -> str | None:
    """What to do about a fault of the system or of the project's files, or None for any other fault. Told by name: nothing is imported."""
    kind = f"{type(error).__module__}.{type(error).__name__}"
    text = (str(error).splitlines() or [kind])[0]
    if isinstance(error, OSError):
        if error.strerror and error.filename:  # without Python's number of the error
            text = f"{error.strerror}: {error.filename2 or error.filename}"
        what = "make room or check the permissions" if error.errno in _DISK_FAULTS else "check that what it names is there and can be used"
        return f"{text}. What was finished is kept: {what}, then run the command again."
    if kind in ("sqlite3.OperationalError", "sqlalchemy.exc.OperationalError") and "disk" in text:
        return f"The project's database cannot be written: {text}. Make room on the disk, then run the command again."
    if kind in ("sqlite3.DatabaseError", "sqlalchemy.exc.DatabaseError"):
        return f"The project's database cannot be read: {text}. Put project.db back from a copy."
    if kind == "pyarrow.lib.ArrowInvalid" and "Parquet" in text:
        return f"A file of the project is damaged: {text} Put it back from a copy, or import its source again into a new project."
    return None


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of the command line."""
    parser = argparse.ArgumentParser(
        prog="winnow", description="See what is wrong with fine-tuning data, fix it, train on it, and measure what it bought."
    )
    parser.add_argument("--version", action="version", version=f"winnow {__version__}")
    parser.add_argument(
        "--project",
        metavar="DIR",
        type=_filled,
        default=os.environ.get("WINNOW_PROJECT") or DEFAULT_PROJECT,
        help="the project folder (default: $WINNOW_PROJECT or %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object on stdout")
    subparsers = parser.add_subparsers(title="commands, in the order people work", metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], commands.Answer], help: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        added.set_defaults(command=command)
        added.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print exactly one JSON object on stdout")
        added.add_argument("--project", metavar="DIR", type=_filled, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return added

    def roles(to: argparse.ArgumentParser) -> None:
        to.add_argument(
            "--role", metavar="NAME=ROLE", action="append", default=[], type=_pair, help="what an unknown role is, such as customer=user"
        )

    def reading(to: argparse.ArgumentParser) -> None:
        to.add_argument(
            "--map", metavar="FIELD=COLUMN", action="append", default=[], type=_pair, help="take a field from this column; may be repeated"
        )
        roles(to)
        to.add_argument("--mapping", metavar="NAME", help="read as the saved mapping of this name says")

    add_ = add("import", commands.import_rows, "bring rows in from a file, a folder, a saved data set or a hub id")
    add_.add_argument("source", metavar="SOURCE", type=_filled)
    add_.add_argument("--format", choices=FORMATS, default="auto", help="how rows are to be read (default: recognised from the rows)")
    reading(add_)
    add_.add_argument("--save-mapping", metavar="NAME", help="save format, columns and roles under a name, for --mapping")
    add_.add_argument("--preview", action="store_true", help="show what would be imported, and import nothing")

    add_ = add("mappings", quarantine_commands.list_mappings, "list the saved mappings of columns and roles")
    add_.add_argument("--delete", metavar="NAME", help="delete this one first")

    add_ = add("quarantine", quarantine_commands.show_quarantine, "list the rows that were set aside, mend one or try all again")
    add_.add_argument("--import", metavar="N", type=int, dest="source", help="only of this import, by its number")
    add_.add_argument("--rows", action="store_true", help="list single rows instead of counts by file and reason")
    add_.add_argument("--limit", metavar="N", type=_positive, default=100, help="with --rows: at most this many (default: %(default)s)")
    add_.add_argument("--mend", metavar=("IMPORT:LINE", "FILE"), nargs=2, help="bring a row in as FILE has it (- for standard input)")
    add_.add_argument("--retry", action="store_true", help="try all again; what can be read now comes in")
    add_.add_argument("--format", choices=FORMATS, default="auto", help="with --retry: how the rows are to be read")
    reading(add_)
    add_.add_argument("--by", metavar="NAME", default="local", help="who mends (default: %(default)s)")

    add_ = add("scan", commands.scan_rows, "run every check over every row, find duplicates, draw the map")
    add_.add_argument("--checks", metavar="a,b", type=_names, help="only these checks")
    add_.add_argument(
        "--without",
        choices=("embeddings",),
        action="append",
        default=[],
        help="leave out what needs a sentence encoder: the map, off-topic rows",
    )
    add_.add_argument("--encoder", metavar="NAME", help="sentence encoder: a shipped name, a folder or a hub id (default: by size)")

    add_ = add("checks", commands.list_checks, "list the checks and what they mean")

    add_ = add("issues", commands.list_issues, "list the rows with issues")
    add_.add_argument("--check", metavar="NAME", help="only this check")
    add_.add_argument("--limit", metavar="N", type=_positive, help="at most this many")

    add_ = add("rules", rule_commands.rules, "list the project's rules, try them on their examples, or run them on rows")
    add_.add_argument("action", choices=("list", "test", "run"), nargs="?", default="list")
    add_.add_argument("--id", metavar="RULE", action="append", help="only this rule; may be repeated")
    add_.add_argument("--on", metavar="FILE", type=_filled, help="with run: the rows of a file instead of the project's")

    add_ = add("report", commands.write_report, "write the quality report")
    add_.add_argument("--format", choices=("html", "md", "json"), type=_report_format, default="md")
    add_.add_argument("-o", "--output", metavar="FILE", type=_path, help="write here instead of to stdout")

    add_ = add("decide", commands.decide_row, "decide about one row")
    add_.add_argument("record", metavar="RECORD", help="the row's id, as `issues` shows it")
    add_.add_argument("verdict", choices=("keep", "drop", "flag"))
    add_.add_argument("--reason", default="")
    add_.add_argument("--by", metavar="NAME", default="local", help="who decides (default: %(default)s)")

    add_ = add("fix", commands.fix_rows, "mend what a check found, in all rows that nobody has decided about")
    add_.add_argument("check", metavar="CHECK", nargs="?", help="the check; without it, the checks that have a fix are listed")
    add_.add_argument("--preview", action="store_true", help="show 20 mended rows, and change nothing")
    roles(add_)

    add_ = add("allow", rule_commands.allow, "list the personal data that may stay, such as a firm's own hotline, or change the list")
    add_.add_argument("entries", metavar="DETAIL", nargs="*", help="add this; a * stands for any characters, as in '*@firm.com'")
    add_.add_argument("--remove", metavar="DETAIL", action="append", default=[], help="take this off the list")

    add_ = add("held-out", rule_commands.held_out, "list the test sets whose questions must not be learned, or add one and look for them")
    add_.add_argument("source", metavar="FILE", type=_filled, nargs="?", help="add the questions of this file, folder or data set")
    add_.add_argument("--name", metavar="NAME", help="call it so (default: the name of the file)")
    add_.add_argument("--remove", metavar="NAME", help="look no more for the questions of this one")

    add_ = add("tokens", commands.count_tokens, "count how long the rows are for a base model, and find those it will not read to the end")
    add_.add_argument("--base", metavar="MODEL", help="base model: a shipped name, a folder or a hub id (default: as the last time)")
    add_.add_argument("--max-length", metavar="N", type=_positive, help="the most tokens of a row (default: as the last time, or 1,024)")

    add_ = add("difficulty", commands.measure_difficulty, "measure how hard answers are for a base model, with their question and without")
    add_.add_argument("--base", metavar="MODEL", help="base model: a shipped name, a folder or a hub id (default: as the last time)")
    add_.add_argument("--rows", metavar="N", type=_positive, help="how many rows, drawn by chance (default: as the last time, or 300)")

    add_ = add("undo", commands.undo_decision, "take a decision back, or all of a bulk action or fix")
    add_.add_argument("seq", metavar="SEQ", type=int, nargs="?", help="its number, as `decisions` shows it")
    add_.add_argument("--batch", metavar="BATCH", help="all decisions of this batch, as `decisions` and `fix` show it")

    add_ = add("decisions", commands.list_decisions, "list every decision so far, oldest first")
    add_.add_argument("--record", metavar="RECORD", help="only of this row")

    add_ = add("snapshot", commands.freeze_snapshot, "freeze curated train, validation and test splits")
    add_.add_argument("--split", metavar="0.8,0.1,0.1", type=_shares, help="shares of train, validation and test")
    add_.add_argument("--seed", metavar="N", type=int)

    add("snapshots", commands.list_all_snapshots, "list the snapshots")

    add_ = add("train", commands.train_adapter, "train a LoRA adapter on a snapshot")
    add_.add_argument("snapshot", metavar="SNAPSHOT", nargs="?", help="its id, or the beginning of it")
    add_.add_argument("--base", metavar="MODEL", help="base model: a shipped name, a folder or a hub id")
    add_.add_argument("--steps", metavar="N", type=_positive, help="optimiser steps (default: by size of the data)")
    add_.add_argument("--batch-size", metavar="N", type=_positive, help="rows per step")
    add_.add_argument("--learning-rate", metavar="X", type=float)
    add_.add_argument("--lora-r", metavar="N", type=_positive, help="rank of the adapter")
    add_.add_argument("--max-length", metavar="N", type=int, help="longest row in tokens; longer rows are dropped and named in the ledger")
    add_.add_argument("--seed", metavar="N", type=int)
    add_.add_argument("--resume", metavar="RUN", help="go on with this run instead of beginning a new one")

    add_ = add("evaluate", commands.evaluate_run, "score the base model and the tuned model on rows neither was trained on")
    add_.add_argument("run", metavar="RUN")
    add_.add_argument("--on", metavar="FILE", type=_filled, help="a file of rows to score on (default: the snapshot's test split)")
    add_.add_argument("--limit", metavar="N", type=int, help="at most this many rows, chosen by seed")

    add_ = add("export", commands.export_splits, "write a snapshot in another tool's format")
    add_.add_argument("snapshot", metavar="SNAPSHOT")
    add_.add_argument("--to", choices=EXPORTS, required=True, metavar="FORMAT", help=", ".join(EXPORTS))
    add_.add_argument("-o", "--output", metavar="PATH", type=_path, required=True, help="a folder, or a .jsonl/.json file for one split")
    add_.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="train",
        help="which split, when PATH is one file (default: %(default)s)",
    )

    add_ = add("jobs", commands.show_jobs, "list the jobs; cancel or resume one")
    add_.add_argument("--cancel", metavar="JOB")
    add_.add_argument("--resume", metavar="JOB")

    add_ = add("serve", commands.serve_app, "open the workbench in the browser")
    add_.add_argument("--port", metavar="N", type=_port, default=8501, help="a number from 1 to 65535 (default: %(default)s)")
    add_.add_argument("--address", default="127.0.0.1", help="whom to listen to; 0.0.0.0 is the whole network (default: this machine)")
    add_.add_argument(
        "--host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name colleagues open it by (winnow.example.org); repeatable",
    )
    add_.add_argument("--no-browser", action="store_true", help="do not open a browser window")

    add("models", commands.prepare_models, "prepare the two models that ship with Winnow, so that all works offline afterwards")
    return parser


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field or not column:
        raise argparse.ArgumentTypeError(f"{text!r} is not two names with = between them")
    return field, column


def _filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; an empty name would mean the folder you are in")
    return text


def _path(text: str) -> Path:
    return Path(_filled(text))


def _port(text: str) -> int:
    number = _positive(text)
    if number > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: they end at 65535")
    return number


def _report_format(text: str) -> str:
    return {"markdown": "md"}.get(text, text)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three shares such as 0.8,0.1,0.1") from None


if __name__ == "__main__":
    sys.exit(main())
