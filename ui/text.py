"""Words from elsewhere, such as the names of classes and folders, made safe for Markdown and file names."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&^=])")


def plain(text: str) -> str:
    """`text` so that Markdown shows it letter by letter."""
    return _SPECIAL.sub(r"\\\1", text)


def file_stem(name: str, otherwise: str) -> str:
    """A file name without its ending that Python can import too; `otherwise` where nothing of it is left."""
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or otherwise
    return f"{otherwise}_{stem}" if stem[0].isdigit() else stem
