"""HTML residue: tags and entities of a web page left in the text."""

from __future__ import annotations

import re

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._prose import prose
from pipelines.checks._turns import Findings, records_with, turns_with

_RESIDUE = (
    r"</?(?:p|br|b|i|u|em|strong|span|div|font|a|ul|ol|li|h[1-6]|pre|code|blockquote|center|td|tr|table)"
    r"(?:\s+[a-z-]+\s*=[^<>\n]{0,300})?\s*/?>"
    r"|&(?:nbsp|amp|lt|gt|quot|apos|rsquo|lsquo|rdquo|ldquo|ndash|mdash|hellip|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
)
_ABOUT_MARKUP = (
    r"(?i)html|xml|css|markup|web ?(?:page|site|app)|javascript|jquery|react|\b(?:jsx?|php|vue|dom|tags?|elements?|attributes?)\b"
    r"|网页|网站|标签|元素"
)
_DOCUMENT = re.compile(r"<!doctype|<html|<head|<body|<script|<style|<\?xml|<\?php|<form|<input|<button|<svg|\bclassName=", re.IGNORECASE)


@check(title="Leftovers of web pages", unit="tags", group="text", flag_above=0)
def html_residue(batch: Batch) -> Measurements:
    """Number of HTML tags and entities, such as <br>, </p>, &nbsp; or &#39;, in the words of a turn.

    The text was copied from a web page and not cleaned. Remove or translate them. Not counted: code blocks, line breaks in Markdown
    tables, whole HTML documents, and conversations about HTML or web pages.
    """
    residue = re.compile(_RESIDUE, re.IGNORECASE)
    turns = list(turns_with(batch, f"(?i){_RESIDUE}", having="<&"))
    about_markup = records_with(batch, "prompt", _ABOUT_MARKUP, (turn.record for turn in turns))
    found = Findings(len(batch))
    for turn in turns:
        if turn.record in about_markup or _DOCUMENT.search(turn.content):
            continue
        for match in residue.finditer(prose(turn.content)):
            if not _in_table(turn.content, match):
                found.add(turn.record, Evidence(turn.turn, *match.span(), note="left over from a web page"))
    return found.measurements()


def _in_table(content: str, match: re.Match[str]) -> bool:
    if not match.group().lower().startswith("<br"):
        return False
    line_start = content.rfind("\n", 0, match.start()) + 1
    return "|" in content[line_start : match.start()]
