"""Undo and redo go back and forth over exactly what was there, and keep only so much."""

from ui.history import MAX_STEPS, History


def test_undo_and_redo_walk_the_same_way_back_and_forth() -> None:
    history = History("a").push("b").push("c")
    assert history.undo().present == "b"
    assert history.undo().undo().present == "a"
    assert history.undo().undo().redo().redo() == history


def test_a_change_after_undo_forgets_what_was_taken_back() -> None:
    history = History("a").push("b").undo().push("c")
    assert history.redo().present == "c"
    assert history.undo().present == "a"


def test_at_either_end_nothing_happens() -> None:
    history = History("a")
    assert history.undo() == history
    assert history.redo() == history


def test_the_same_state_again_is_no_change() -> None:
    history = History("a").push("b").undo()
    assert history.push("a").redo().present == "b"


def test_the_oldest_states_are_dropped() -> None:
    history = History(0)
    for number in range(1, 2 * MAX_STEPS):
        history = history.push(number)
    assert len(history.past) == MAX_STEPS
    while history.past:
        history = history.undo()
    assert history.present == MAX_STEPS - 1
