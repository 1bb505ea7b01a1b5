"""The Network page under real hands: cells typed, rows moved by mouse and by keyboard, a link passed on."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import AppServer, open_page, open_window, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)  # milliseconds: the cores may be shared

# Columns of the table, from the left, and pixels of its rows; the grid is a canvas, so clicks go by place.
MENU, NAME, OUTPUT, OUT, KERNEL = 0, 2, 3, 5, 6
ROW_PIXELS = 36
MENU_X, KERNEL_X = 24, 510
WIDENED = 246  # by which the output's column grows to hold the arithmetic


def open_network(page: "Page", server: AppServer, network: str = "seed_004") -> None:
    """Open the page with a preset and wait for its table."""
    open_page(page, f"{server.url}/Network?network={network}")
    expect(cell(page, NAME, 0)).not_to_be_empty()


def totals(page: "Page") -> "Locator":
    """The bar at the bottom."""
    return page.locator(".st-key-network_totals")


def cell(page: "Page", column: int, row: int) -> "Locator":
    """A cell of the editor, as it is told to assistive technology."""
    return page.get_by_test_id("stDataFrame").first.get_by_test_id(f"glide-cell-{column}-{row}")


def click_cell(page: "Page", x: int, row: int) -> None:
    """Click the cell of `row` that is `x` pixels from the table's left edge."""
    place = {"x": x, "y": ROW_PIXELS * (row + 1) + ROW_PIXELS // 2}
    page.get_by_test_id("stDataFrame").first.click(position=place)


def write(page: "Page", text: str) -> None:
    """Open the cell in focus, type over it and confirm."""
    page.keyboard.press("Enter")
    editor = page.locator("#portal input, #portal textarea")
    editor.fill(text)
    editor.press("Enter")
    expect(editor).to_have_count(0)


def tab_to(page: "Page", target: "Locator") -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("not reached by Tab")


def undo(page: "Page") -> None:
    """Press Ctrl+Z once it can be: the totals show what a click did before the toolbar below is drawn."""
    expect(page.locator(".st-key-network_undo button")).to_be_enabled()
    page.keyboard.press("Control+z")


def test_a_typed_cell_shows_in_the_totals_is_undone_and_travels_by_link(
    shared_server: AppServer, browser: "Browser", page: "Page"
) -> None:
    open_network(page, shared_server)
    expect(totals(page)).to_contain_text("162,296")
    click_cell(page, KERNEL_X, 0)
    write(page, "5")
    expect(totals(page)).to_contain_text("163,064")
    expect(totals(page)).to_contain_text("+768")
    expect(cell(page, OUTPUT, 0)).to_have_text("16×30×30")
    other = open_window(browser)
    open_page(other, page.url)
    expect(totals(other)).to_contain_text("+768")
    expect(cell(other, KERNEL, 0)).to_have_text("5")
    other.context.close()
    undo(page)
    expect(totals(page)).not_to_contain_text("+768")
    expect(cell(page, OUTPUT, 0)).to_have_text("16×32×32")
    assert page.complaints == []


def test_a_layer_that_cannot_work_is_marked_in_its_row(shared_server: AppServer, page: "Page") -> None:
    open_network(page, shared_server, "seed_000")
    click_cell(page, KERNEL_X, 5)
    write(page, "10")
    expect(page.get_by_test_id("stAlert")).to_contain_text("layer 6")
    expect(cell(page, OUTPUT, 5)).to_contain_text("but kernel 10 at dilation 2 needs 19")
    expect(cell(page, OUTPUT, 4)).to_have_text("16×16×16")
    expect(cell(page, OUTPUT, 6)).to_have_text("–")
    expect(page.get_by_role("link", name="Train this network")).to_have_count(0)
    click_cell(page, KERNEL_X + WIDENED, 5)
    write(page, "3")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(totals(page)).to_contain_text("77,056")


def test_the_menu_of_a_row_acts_on_that_row(shared_server: AppServer, page: "Page") -> None:
    open_network(page, shared_server)
    click_cell(page, MENU_X, 1)
    page.get_by_role("menuitem", name="Duplicate").click()
    expect(cell(page, NAME, 2)).to_have_text("conv8")
    click_cell(page, MENU_X, 2)
    page.get_by_role("menuitem", name="Delete").click()
    expect(cell(page, NAME, 2)).to_have_text("conv3")


def test_clicks_and_edits_in_a_hurry_are_all_taken(shared_server: AppServer, page: "Page") -> None:
    open_network(page, shared_server)
    down = page.locator(".st-key-network_move_down button").first
    for _ in range(3):
        down.click()
    expect(cell(page, NAME, 3)).to_have_text("conv1")
    page.locator(".st-key-network_restart button").first.click()
    expect(cell(page, NAME, 0)).to_have_text("conv1")
    click_cell(page, KERNEL_X, 0)
    for kernel in ("5", "7", "5"):  # Enter goes on to the next row
        write(page, kernel)
    expect(cell(page, OUTPUT, 2)).to_have_text("32×24×24")
    assert [cell(page, KERNEL, row).inner_text() for row in range(3)] == ["5", "7", "5"]


def test_a_layer_is_chosen_moved_and_edited_by_keyboard_alone(shared_server: AppServer, page: "Page") -> None:
    open_network(page, shared_server)
    page.keyboard.press("Tab")
    tab_to(page, page.get_by_role("combobox", name="Layer"))
    page.keyboard.type("conv3")
    page.keyboard.press("Enter")
    tab_to(page, page.locator(".st-key-network_move_up button"))
    page.keyboard.press("Enter")
    expect(cell(page, NAME, 1)).to_have_text("conv3")
    tab_to(page, page.locator('[data-testid="data-grid-canvas"]').first)
    for key in ("ArrowDown", *["ArrowRight"] * OUT):
        page.keyboard.press(key)
    write(page, "40")
    expect(cell(page, OUTPUT, 1)).to_have_text("40×32×32")
    undo(page)
    expect(cell(page, OUTPUT, 1)).to_have_text("32×32×32")
    undo(page)
    expect(cell(page, NAME, 1)).to_have_text("conv2")


def press_on(page: "Page", target: "Locator", key: str = "Enter") -> None:
    """Reach `target` by Tab and press a key there."""
    tab_to(page, target)
    page.keyboard.press(key)


def test_a_block_is_inserted_moved_undone_and_seen_in_a_second_browser(
    shared_server: AppServer, browser: "Browser", page: "Page"
) -> None:
    open_network(page, shared_server)
    expect(totals(page)).to_contain_text("1 of 7 broken")
    page.get_by_role("button", name="Insert block").click()
    page.get_by_role("button", name="Depthwise separable").click()
    expect(cell(page, NAME, 1)).to_have_text("depthwise2")
    expect(cell(page, NAME, 2)).to_have_text("pointwise1")
    expect(totals(page)).to_contain_text("kept, 7 of 7")
    page.locator(".st-key-network_move_down button").first.click()
    expect(cell(page, NAME, 3)).to_have_text("pointwise1")
    expect(totals(page)).to_contain_text("1 of 7 broken")
    other = open_window(browser)
    open_page(other, page.url)
    expect(cell(other, NAME, 1)).to_have_text("depthwise2")
    expect(cell(other, NAME, 3)).to_have_text("pointwise1")
    other.context.close()
    undo(page)
    expect(totals(page)).to_contain_text("kept, 7 of 7")
    undo(page)
    expect(cell(page, NAME, 1)).to_have_text("conv2")
    expect(totals(page)).to_contain_text("1 of 7 broken")
    assert page.complaints == []


def test_a_folded_block_leaves_the_table_and_an_edit_hits_its_row(
    shared_server: AppServer, page: "Page"
) -> None:
    open_network(page, shared_server, "seed_000")
    page.get_by_role("combobox", name="Fold blocks").click()
    page.get_by_role("option", name="conv block 1").click()
    expect(cell(page, NAME, 0)).to_have_text("pool1")
    page.keyboard.press("Escape")
    folded = page.get_by_test_id("stDataFrame").nth(1)
    expect(folded.get_by_test_id("glide-cell-1-0")).to_have_text("▸ conv block 1")
    click_cell(page, KERNEL_X, 1)
    write(page, "3")
    expect(cell(page, OUTPUT, 1)).to_have_text("16×14×14")
    undo(page)
    expect(cell(page, OUTPUT, 1)).to_have_text("16×16×16")


def test_a_remedy_is_applied_and_a_brief_turns_green(shared_server: AppServer, page: "Page") -> None:
    open_page(page, f"{shared_server.url}/Network?network=seed_001&network_view=Judge")
    verdicts = page.locator(".st-key-network_verdicts")
    expect(verdicts).to_contain_text("A depthwise convolution with a 1×1 behind it — broken")
    expect(page.get_by_test_id("stAlert").first).to_contain_text("Not yet.")
    page.locator(".st-key-network_apply_false_depthwise_depthwise1 button").first.click()
    expect(verdicts).to_contain_text("A depthwise convolution with a 1×1 behind it — kept")
    expect(page.locator(".st-key-network_apply_false_depthwise_depthwise1")).to_have_count(0)
    undo(page)
    expect(verdicts).to_contain_text("A depthwise convolution with a 1×1 behind it — broken")
    assert page.complaints == []


def test_a_network_is_saved_and_opened_again(app_server: AppServer, page: "Page") -> None:
    open_network(page, app_server)
    page.locator(".st-key-network_duplicate button").first.click()
    expect(cell(page, NAME, 1)).to_have_text("conv8")
    page.get_by_role("button", name="Save").first.click()
    field = page.get_by_label("Save here as")
    expect(field).to_have_value("Seed 004: dilated strided downsampling")
    settle(page)  # opening the box draws the page again, and puts the present name into the field
    field.fill("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stToast")).to_contain_text("Saved as Mine")
    assert [path.name for path in (app_server.data / "networks").iterdir()] == ["mine.json"]
    page.locator(".st-key-network_restart button").first.click()
    expect(cell(page, NAME, 1)).to_have_text("conv2")
    page.locator(".st-key-network_open button").first.click()
    page.locator(".st-key-network_open_saved button").first.click()
    expect(cell(page, NAME, 1)).to_have_text("conv8")


def test_blocks_briefs_and_remedies_by_keyboard_alone(shared_server: AppServer, page: "Page") -> None:
    open_network(page, shared_server)
    press_on(page, page.get_by_role("button", name="Insert block"))
    press_on(page, page.get_by_role("button", name="Depthwise separable"))
    expect(totals(page)).to_contain_text("kept, 7 of 7")
    undo(page)
    expect(totals(page)).to_contain_text("1 of 7 broken")
    tab_to(page, page.get_by_role("radio", name="Assemble"))
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    verdicts = page.locator(".st-key-network_verdicts")
    expect(verdicts).to_contain_text("broken")
    press_on(page, page.locator(".st-key-network_apply_scaling_depthwise_depthwise button").first)
    expect(page.locator(".st-key-network_apply_scaling_depthwise_depthwise")).to_have_count(0)
    undo(page)
    expect(page.locator(".st-key-network_apply_scaling_depthwise_depthwise")).to_have_count(1)
