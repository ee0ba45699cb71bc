"""Card: the README.md of a snapshot, in the form of a Hugging Face data set card. `datasets.load_dataset(folder)` reads its header."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.checks import all_checks
from pipelines.curation.splits import SPLITS
from pipelines.rules.rule_file import OWN_CHECKS

_REASONS = {
    "decision": "A reviewer decided to drop the row",
    "undecided": "Nobody decided to keep the row, and the recipe keeps reviewed rows only",
    **OWN_CHECKS,
    "duplicate_after_edit": "After an edit the row reads the same as another one",
}
_TIES = {
    "near_duplicate": "Pairs of rows that share half of their three-word phrases or more",
    "equal_text": "Texts that several rows share, but for capital letters and spaces",
    "equal_prompt": "Prompts that several rows share, but for capital letters, spaces and punctuation",
    "equal_question": "First questions that several conversations share, but for capital letters, spaces and punctuation",
    "equal_opening": "First questions with the same first answer that several conversations share",
}


def dataset_card(
    manifest: dict[str, Any],
    *,
    files: Mapping[str, str] | None = None,
    license: str | None = None,
    format: str = "parquet",
) -> str:
    """The card of a snapshot, or of an export of it when `files` names the file of each split and `format` how they are written."""
    files = files or {name: f"{name}.parquet" for name in SPLITS}
    parts = [
        _header(manifest, files, license),
        f"# {_text(manifest['project'])}, snapshot {manifest['id']}",
        _contents(manifest, files, format),
        _curation(manifest),
        _splits(manifest),
        _limits(manifest, license),
        _origin(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _header(manifest: dict[str, Any], files: Mapping[str, str], license: str | None) -> str:
    # Every value is written as JSON, which is YAML, so that no name can break out of the header. A split without rows is not listed:
    # the loader of some formats refuses empty files.
    lines = ["---", f"license: {json.dumps(license or 'unknown')}", "tags:", "- winnow", "- instruction-tuning", "configs:"]
    lines += ["- config_name: default", "  data_files:"]
    for name in SPLITS:
        if manifest[name] and name in files:
            lines += [f"  - split: {name}", f"    path: {json.dumps(files[name], ensure_ascii=False)}"]
    return "\n".join([*lines, "---"])


_PAIRS = "pairs of answers have `chosen` and `rejected`, and judged answers `label` (whether the answer was wanted)"
_COLUMNS = {
    "openai": f"`messages` (role and content of each turn) and `tools`; {_PAIRS}, and pairs their question in `prompt`.",
    "sharegpt": f"`conversations` (from and value of each turn) and `tools`; {_PAIRS}.",
    "alpaca": f"`instruction`, `input` (empty: it is in the instruction), `output`, `history` and `system`; {_PAIRS}.",
    "csv": "`system`, `prompt` and `answer`, then the source's other columns.",
}
_ALL_COLUMNS = (
    "`id` (a hash of all that is trained on), `messages` (role and content of each turn), `tools`, `chosen` and `rejected` (for pairs of\n"
    "answers), `label` (whether the answer was wanted, where the source says so), `meta` (the source's other columns),\n"
    "`group` (rows that had to stay in one split) and `edited_from` (the id before a reviewer changed the text)."
)


def _contents(manifest: dict[str, Any], files: Mapping[str, str], format: str) -> str:
    rows = "\n".join(f"| {name} | {manifest[name]:,} | {_text(files[name]) if name in files else '–'} |" for name in SPLITS)
    return f"""## What is in it

{manifest["kept"]:,} rows, chosen from {manifest["records"]:,} different ones. Each row is one example to learn from: a conversation, or a
prompt with a better and a worse answer.

| split | rows | file |
|---|---:|---|
{rows}

Columns: {_COLUMNS.get(format, _ALL_COLUMNS)}"""


def _curation(manifest: dict[str, Any]) -> str:
    checks = all_checks()
    rows = []
    for reason, count in manifest["dropped"].items():
        words = _REASONS.get(reason) or (checks[reason].title if reason in checks else reason)
        rows.append(f"| {_text(words)} (`{reason}`) | {count:,} |")
    table = "\n".join(["| why a row was left out | rows |", "|---|---:|", *rows]) if rows else "No row was left out."
    lines = [
        f"{manifest['decided']:,} rows were decided one by one or in bulk; {manifest['edited']:,} were edited. "
        f"{manifest['kept']:,} kept + {sum(manifest['dropped'].values()):,} left out = {manifest['records']:,} rows."
    ]
    if manifest["spared"]:
        lines.append(f"{manifest['spared']:,} rows repeat another row but were kept, because the one they repeat was itself left out.")
    last = "The rows left out are in `dropped.parquet` of the snapshot, with the reason."
    return "\n\n".join(["## How it was curated", *lines, table, last])


def _splits(manifest: dict[str, Any]) -> str:
    certificate = manifest["certificate"]
    asked, achieved = certificate["ratios_asked"], certificate["ratios_achieved"]
    shares = "\n".join(f"| {name} | {asked[name]:.1%} | {achieved[name]:.1%} |" for name in SPLITS)
    words = {
        kind: _TIES.get(kind, f"Values of the column {kind.removeprefix('same_')} that several rows share")
        for kind in certificate["crossing"]
    }
    ties = "\n".join(
        f"| {_text(words[kind])} | {certificate['compared'][kind]:,} | {count:,} |" for kind, count in certificate["crossing"].items()
    )
    none = certificate["groups_crossing"] == 0
    verdict = "Nothing crosses from one split to another." if none else f"{certificate['groups_crossing']:,} of these ties cross a split."
    warnings = "".join(f"\n- {_text(warning)}" for warning in manifest["warnings"])
    return f"""## Splits

Copies, near copies and answers to one question were put into the same split: {certificate["groups"]:,} groups, the largest of
{certificate["largest_group"]:,} rows. The finished splits were searched again, for near duplicates with other random sketches
({certificate["searches"]} searches in all). {verdict}{_templates(certificate)}

| searched for | found | across splits |
|---|---:|---:|
{ties}

| split | share asked for | share reached |
|---|---:|---:|
{shares}
{warnings}""".rstrip()


def _templates(certificate: dict[str, Any]) -> str:
    rows = certificate.get("template_rows", 0)
    return f" The prompts of {rows:,} rows share a template; such rows are told apart by their whole text." if rows else ""


def _limits(manifest: dict[str, Any], license: str | None) -> str:
    own = "" if license else "\n- The licence is not known to Winnow. Whoever publishes this set has to name it."
    return f"""## Known limits

- Checks find what they were written for; a row without a finding can still be wrong.
- {manifest["decided"]:,} of {manifest["records"]:,} rows carry a decision; the others were kept or left out by the recipe alone.
- Near duplicates are found by shared words. Two rows that say the same in other words can be in different splits.{own}

## Personal data

{_searched(manifest)} Have a person who knows the source judge whether the set may be shared."""


def _searched(manifest: dict[str, Any]) -> str:
    """Which checks have looked for personal data, and at how many rows they have not."""
    privacy = [name for name, check in all_checks().items() if check.group == "privacy"]
    looked = [name for name in privacy if name in manifest["checks"]]
    if not looked:
        return "No check has looked for personal data."
    missing = max(manifest.get("unmeasured", {}).get(name, 0) for name in looked)
    named = ", ".join(f"`{name}`" for name in looked)
    words = f"The checks {named} looked for personal data and secrets by pattern. Patterns miss some of it, such as names in running text."
    if missing:
        words += f" {missing:,} of the {manifest['records']:,} rows came in later, and not all of these checks have looked at them."
    return words


def _origin(manifest: dict[str, Any]) -> str:
    counts = ("rows_read", "records", "duplicate_rows", "rejected")
    sources = "\n".join(
        f"| {_text(s['name'])} | {_text(s['format'])} | {' | '.join(f'{s[key]:,}' for key in counts)} | `{s['sha256'][:16]}` |"
        for s in manifest["sources"]
    )
    recipe = json.dumps(manifest["recipe"], ensure_ascii=False, indent=1, sort_keys=True)
    return f"""## Where it comes from

| source | format | rows read | new records | repeats merged | rejected | sha256 |
|---|---|---:|---:|---:|---:|---|
{sources or "| – | – | – | – | – | – | – |"}

Frozen with Winnow {manifest["versions"]["winnow"]} from the project {_text(manifest["project"])}, with this recipe:

```json
{recipe}
```"""


def _text(text: str) -> str:
    """Text from outside as Markdown that shows just that text, also inside a table."""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", flat)
