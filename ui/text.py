"""Words from elsewhere, such as the names of classes and folders, made safe to stand in Markdown."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&^=])")


def plain(text: str) -> str:
    """`text` so that Markdown shows it letter by letter."""
    return _SPECIAL.sub(r"\\\1", text)
