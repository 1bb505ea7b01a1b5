"""Names and words that are safe to write into Python source, whatever a network calls its parts."""

import keyword
import re
import unicodedata

# What torch.nn.Module keeps for itself and what the exported file itself names; a test asks torch.
TAKEN = frozenset(
    re.findall(
        r"\w+",
        """
    self x flat torch nn Tensor training forward T_destination call_super_init dump_patches
    add_module apply bfloat16 buffers children compile cpu cuda double eval extra_repr float get_buffer
    get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
    set_submodule share_memory state_dict to to_empty train type xpu zero_grad
    """,
    )
)
LONGEST = 30


class Names:
    """Hands out identifiers, each only once."""

    def __init__(self) -> None:
        self._used: set[str] = set(TAKEN)

    def take(self, text: str, fallback: str) -> str:
        """An ASCII identifier close to `text`; `fallback` where nothing of it is left or a digit leads."""
        name = "_".join(_words(text))
        if not name or name[0].isdigit():
            name = f"{fallback}_{name}"
        name = name[:LONGEST].rstrip("_")
        if keyword.iskeyword(name) or name in self._used:
            name = self._number(name)
        self._used.add(name)
        return name

    def _number(self, name: str) -> str:
        if f"{name}_" not in self._used:
            return f"{name}_"
        turn = 2
        while f"{name}_{turn}" in self._used:
            turn += 1
        return f"{name}_{turn}"


def name_class(title: str) -> str:
    """A class name from what stands before the colon of a title: "Seed 004: dilated" is `Seed004`."""
    name = "".join(word[0].upper() + word[1:] for word in _words(title.partition(":")[0]))
    if not name or name[0].isdigit() or keyword.iskeyword(name) or name == "Tensor":
        name = f"Network{name}"
    return name


def to_plain_text(text: str) -> str:
    """The text on one line, without anything that could end a string, a comment or a line."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.replace("\\", "/").replace('"', "'").split())


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.findall(r"[A-Za-z0-9]+", letters)
