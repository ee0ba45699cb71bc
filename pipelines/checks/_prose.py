"""Prose: a turn's text with its code blanked out, so that what is looked for in words is not found in code."""

from __future__ import annotations

import re

_CODE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t]*(?P=fence)|\Z)"  # a block
    r"|(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)",  # `inline`
    re.DOTALL | re.MULTILINE,
)


def prose(content: str) -> str:
    """The text with Markdown code replaced by spaces, of the same length: positions stay true."""
    return _CODE.sub(lambda code: " " * len(code.group()), content) if "`" in content or "~~~" in content else content
