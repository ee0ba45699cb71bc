"""Modules: plain JavaScript modules of a folder as the one text that a Streamlit component takes. No build step."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)


def joined_modules(folder: Path, entry: str, texts: dict[str, str] | None = None) -> str:
    """The module `entry` and all it imports, each in a scope of its own; the entry's default export stays the only one.

    `texts` adds modules that are not files, as name -> source. Only `import { a, b } from "./x.js"` on one line and named
    `export function|class|const` are understood. Raises ValueError on a circle.
    """
    sources: dict[str, str] = {}
    _collect(folder, entry, texts or {}, sources, ())
    parts = ["const modules = {};"]
    for name, source in sources.items():
        body = _IMPORT.sub(lambda match: f'const {{ {match[1]} }} = modules["{match[2]}"];\n', source)
        if name == entry:
            parts.append(body)
        else:
            exported = ", ".join(_EXPORT.findall(body))
            body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
            parts.append(f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();')
    return "\n".join(parts)


def _collect(folder: Path, name: str, texts: dict[str, str], sources: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"JavaScript modules import each other in a circle: {' -> '.join((*above, name))}")
    if name in sources:
        return
    source = texts[name] if name in texts else (folder / name).read_text(encoding="utf-8")
    for _names, imported in _IMPORT.findall(source):
        _collect(folder, imported, texts, sources, (*above, name))
    sources[name] = source
