"""HTML residue: tags and entities of a web page left in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipelines.checks import Batch, Evidence, Measurements, check, fix
from pipelines.checks._prose import prose
from pipelines.checks._turns import Findings, records_with, turns_with
from pipelines.records import Message

_RESIDUE = (
    r"</?(?:p|br|b|i|u|em|strong|span|div|font|a|ul|ol|li|h[1-6]|pre|code|blockquote|center|td|tr|table)"
    r"(?:\s+[a-z-]+\s*=[^<>\n]{0,300})?\s*/?>"
    r"|&(?:nbsp|amp|lt|gt|quot|apos|rsquo|lsquo|rdquo|ldquo|ndash|mdash|hellip|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
)
_ABOUT_MARKUP = (
    r"(?i)html|xml|css|markup|web ?(?:page|site|app)|javascript|jquery|react|\b(?:jsx?|php|vue|dom|tags?|elements?|attributes?)\b"
    r"|网页|网站|标签|元素"
)
_ONE_LETTER = re.compile(r"</?([abiup])\s*/?>", re.IGNORECASE)
_ABOUT_ESCAPES = re.compile(r"\b(?:html|xml|escap\w+|entit(?:y|ies)|encod\w+|attributes?)\b", re.IGNORECASE)
_DOCUMENT = re.compile(r"<!doctype|<html|<head|<body|<script|<style|<\?xml|<\?php|<form|<input|<button|<svg|\bclassName=", re.IGNORECASE)


@check(title="Leftovers of web pages", unit="tags", group="text", flag_above=0)
def html_residue(batch: Batch) -> Measurements:
    """Number of HTML tags and entities, such as <br>, </p>, &nbsp; or &#39;, in the words of a turn.

    The text was copied from a web page and not cleaned, and the model would learn to write such marks. Remove or translate them. Not
    counted: code blocks, line breaks in Markdown tables, whole HTML documents, and conversations about HTML or web pages.
    """
    residue = re.compile(_RESIDUE, re.IGNORECASE)
    turns = list(turns_with(batch, f"(?i){_RESIDUE}", having="<&"))
    about_markup = records_with(batch, "prompt", _ABOUT_MARKUP, (turn.record for turn in turns))
    found = Findings(len(batch))
    for turn in turns:
        if turn.record in about_markup or _DOCUMENT.search(turn.content):
            continue
        for match in residue.finditer(prose(turn.content)):
            if not _in_table(turn.content, match) and not _is_meant(turn.content, match):
                found.add(turn.record, Evidence(turn.turn, *match.span(), note="left over from a web page"))
    return found.measurements()


def _is_meant(content: str, match: re.Match[str]) -> bool:
    """Whether it is a program's or a formula's own sign: Box<B>, a<b>c; or an entity in a text about such signs."""
    mark = match.group()
    if mark.startswith("&"):
        return bool(_ABOUT_ESCAPES.search(content))
    letter = _ONE_LETTER.match(mark)
    if letter is None:
        return False
    name = letter.group(1).lower()
    opens, closes = (re.search(rf"<{sign}{name}(?:\s[^<>]*)?>", content, re.IGNORECASE) for sign in ("", "/"))
    is_glued = match.start() > 0 and (content[match.start() - 1].isalnum() or content[match.start() - 1] == "_")
    return not (opens and closes) and (name != "p" or is_glued)


def _in_table(content: str, match: re.Match[str]) -> bool:
    if not match.group().lower().startswith("<br"):
        return False
    line_start = content.rfind("\n", 0, match.start()) + 1
    return "|" in content[line_start : match.start()]


_NEW_LINE = re.compile(r"</?(?:br|p|div|h[1-6]|ul|ol|tr|table|blockquote|pre|li)\b", re.IGNORECASE)
_BULLET = re.compile(r"<li\b", re.IGNORECASE)
_BREAK = re.compile(r"<br\b", re.IGNORECASE)


@fix(html_residue, title="Take the web page's marks out")
def _plain(turns: Sequence[Message], evidence: Sequence[Evidence]) -> list[Message] | None:
    """Turns entities such as &amp; into their characters, line breaks, paragraphs and list items into new lines; takes other tags out."""
    mended = list(turns)
    marks: dict[int, list[tuple[int, int]]] = {}
    for found in evidence:
        if found.turn is not None and found.start is not None and found.end is not None:
            marks.setdefault(found.turn, []).append((found.start, found.end))
    for turn, spans in marks.items():
        mended[turn] = replace(mended[turn], content=_without_marks(turns[turn].content, sorted(spans)))
    return mended if mended != list(turns) else None


def _without_marks(content: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with each mark's meaning in its place. New lines between blocks are written when more text follows, and once."""
    from html import unescape

    out, lines, reached = "", 0, 0
    for start, end in [*spans, (len(content), len(content))]:
        mark = content[start:end]
        between = content[reached:start]
        if not between.strip() and out.endswith(("\n\n", "- ")):
            between = ""  # the page's own layout between its marks
        text = between + (unescape(mark).replace("\xa0", " ") if mark.startswith("&") else "")
        if text:
            is_at_start = not out.strip() or out.endswith("\n") or text.startswith("\n")
            out += ("" if is_at_start else "\n" * lines) + text
            lines = 0
        if _BULLET.match(mark):
            out += "- " if not out or out.endswith("\n") else "\n- "
            lines = 0
        elif _NEW_LINE.match(mark) and not out.endswith("- "):
            lines = min(lines + 1, 2) if _BREAK.match(mark) else max(lines, 1)
        reached = end
    return out
