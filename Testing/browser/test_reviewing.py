"""A review from the images to the export, by mouse, wheel and keys."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

MID, PRE = "mid-axial", "pre-axial"


@pytest.fixture(scope="module")
def tab(serve, visit, patient, tmp_path_factory):
    """The patient on screen, both visits segmented."""
    root = tmp_path_factory.mktemp("root")
    tab = visit(serve(patient, "--root", root))
    tab.root = root
    tab.open()
    tab.wait_for_views()
    tab.segment()
    return tab


@pytest.fixture(autouse=True)
def _hands_free(tab):
    """Each test begins with no tool in the hand, no dialog, and the comparison on screen."""
    tab.press("Escape")
    tab.press("Escape")
    tab.press("1")
    tab.wait("() => window.trame.state.get('layout') === 'compare' && !window.trame.state.get('dialog')")


def _lesions(tab, count):
    names = tab.rows()
    assert len(names) >= count, names
    return names[:count]


def test_the_wheel_scrolls_both_visits(tab):
    before = tab.slice_number(MID)
    picture = tab.picture(PRE)
    tab.wheel(MID, 3)
    after = tab.wait_for_slice(MID, lambda number: abs(number - before) == 3)
    tab.wait_for_slice(PRE, lambda number: abs(number - after) <= 1)
    assert np.abs(tab.picture(PRE) - picture).mean() > 1.0
    tab.wheel(MID, -3)
    tab.wait_for_slice(MID, lambda number: number == before)


def test_a_click_on_a_row_jumps_to_the_lesion(tab):
    seen = set()
    for name in _lesions(tab, 3):
        tab.select(name)
        tab.page.wait_for_timeout(400)
        seen.add(tab.slice_number(MID))
    assert len(seen) > 1


def test_a_lesion_beyond_the_edge_of_a_zoomed_view_comes_into_sight(tab):
    tab.page.mouse.move(*tab.middle(MID))
    x, y = tab.middle(MID)
    tab.page.mouse.down(button="right")
    tab.page.mouse.move(x, y + 300, steps=12)
    tab.page.mouse.up(button="right")
    # Far away from all lesions.
    tab.page.mouse.down(button="middle")
    tab.page.mouse.move(x + 190, y - 250, steps=12)
    tab.page.mouse.up(button="middle")
    tab.page.wait_for_timeout(500)
    first = tab.rows()[0]
    with pytest.raises(AssertionError, match="No green outline"):
        tab.tumour_outline(MID)
    tab.select(first)
    tab.page.wait_for_timeout(800)
    across, down = tab.tumour_outline(MID)
    assert abs(across) < 120
    assert abs(down) < 120
    tab.press("0")
    tab.page.wait_for_timeout(300)


def test_arrow_keys_walk_through_the_table(tab):
    first, second = _lesions(tab, 2)
    tab.select(first)
    tab.press("ArrowDown")
    tab.page.wait_for_selector(f'tr[data-lesion="{second}"].selected')
    tab.press("ArrowUp")
    tab.page.wait_for_selector(f'tr[data-lesion="{first}"].selected')


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_the_order(tab):
    head = tab.page.locator(".hn-table th", has_text="cc").first
    orders = []
    for _ in range(2):
        head.click()
        tab.page.wait_for_timeout(500)
        orders.append([tab.volume(name) for name in tab.rows()])
    assert orders[0] == sorted(orders[0])
    assert orders[1] == sorted(orders[0], reverse=True)
    tab.page.locator(".hn-table th", has_text="Lesion").first.click()
    tab.wait("() => window.trame.state.get('sort_key') === 'name'")


def test_dragging_changes_the_grey_window(tab):
    before = tab.picture(MID)
    tab.drag(MID, (-60, 0), (60, 80))
    tab.page.wait_for_timeout(600)
    assert np.abs(tab.picture(MID) - before).mean() > 2.0


def test_the_layouts_show_their_views(tab):
    for key, count in (("2", 4), ("3", 1), ("1", 2)):
        tab.press(key)
        tab.wait("n => document.querySelectorAll('[data-view]').length === n", count)
        tab.wait_for_views(count)


def test_the_help_sheet_opens_by_its_key_and_closes(tab):
    tab.press("?")
    tab.page.get_by_text("Keys and mouse").wait_for()
    assert tab.page.get_by_text("Next lesion").is_visible()
    tab.press("Escape")
    tab.page.get_by_text("Keys and mouse").wait_for(state="hidden")


def test_painting_adds_voxels_and_undo_takes_the_stroke_back(tab):
    (name,) = _lesions(tab, 1)
    tab.select(name)
    before = tab.volume(name)
    tab.press("b")
    tab.wait("() => window.trame.state.get('tool') === 'paint'")
    tab.drag(MID, (60, 60), (90, 60))
    painted = tab.wait_for_volume(name, lambda volume: volume > before, "grows")
    assert tab.cell(name, "State") == "edited"
    tab.press("Control+z")
    tab.wait_for_volume(name, lambda volume: volume == before, f"goes back to {before}")
    tab.press("Control+y")
    tab.wait_for_volume(name, lambda volume: volume == painted, f"is {painted} again")
    tab.press("Control+z")
    tab.wait_for_volume(name, lambda volume: volume == before, f"goes back to {before}")


def test_erasing_takes_voxels_away(tab):
    (name,) = _lesions(tab, 1)
    tab.select(name)
    tab.page.wait_for_timeout(500)
    before = tab.volume(name)
    tab.press("e")
    tab.wait("() => window.trame.state.get('tool') === 'erase'")
    x, y = tab.tumour_outline(MID)
    tab.drag(MID, (x - 6, y), (x + 6, y))
    tab.wait_for_volume(name, lambda volume: volume < before, "shrinks")
    tab.press("Control+z")
    tab.wait_for_volume(name, lambda volume: volume == before, f"goes back to {before}")


def test_a_stroke_leaves_the_other_lesions_alone(tab):
    first, *others = tab.rows()
    volumes = {name: tab.volume(name) for name in others}
    tab.select(first)
    before = tab.volume(first)
    tab.press("b")
    tab.wait("() => window.trame.state.get('tool') === 'paint'")
    tab.drag(MID, (-120, -90), (120, 90), steps=16)
    tab.wait_for_volume(first, lambda volume: volume > before, "grows")
    assert {name: tab.volume(name) for name in others} == volumes
    tab.press("Control+z")
    tab.wait_for_volume(first, lambda volume: volume == before, f"goes back to {before}")


def test_a_lesion_is_smoothed_and_cut_down_to_a_range_of_grey_values(tab):
    (name,) = _lesions(tab, 1)
    tab.select(name)
    before = tab.volume(name)
    tab.open_card("Correct by hand")
    # Voxels are as long as 6 mm here.
    _, width, low, high = tab.page.locator(".v-expansion-panel--active").get_by_role("slider").all()
    width.focus()
    for _ in range(4):
        tab.press("ArrowRight")
    tab.wait("() => window.trame.state.get('smooth_mm') === 3.5")
    tab.button("Smooth").click()
    smooth = tab.wait_for_volume(name, lambda volume: volume != before, "changes")
    # The upper end of the range goes down to a grey in the middle of the lesion's.
    (left, y), (right, _) = (tab.middle_of(end) for end in (low, high))
    tab.page.mouse.move(right, y)
    tab.page.mouse.down()
    tab.page.mouse.move(left + 0.33 * (right - left), y, steps=8)
    tab.page.mouse.up()
    tab.button("Keep greys").click()
    tab.wait_for_volume(name, lambda volume: volume < smooth, "shrinks")
    undo = tab.page.get_by_label("Undo drawing or segmentation")
    undo.click()
    tab.wait_for_volume(name, lambda volume: volume == smooth, f"goes back to {smooth}")
    undo.click()
    tab.wait_for_volume(name, lambda volume: volume == before, f"goes back to {before}")


def test_slices_left_out_between_two_drawn_ones_are_filled(tab):
    known = set(tab.rows())
    tab.open_card("Correct by hand")
    tab.button("New node").click()
    tab.wait("() => window.trame.state.get('tool') === 'paint'")
    tab.drag(MID, (-60, 40), (-45, 40))
    tab.page.wait_for_selector(f"tr[data-lesion]:nth-of-type({len(known) + 1})")
    (name,) = set(tab.rows()) - known
    drawn = tab.volume(name)
    here = tab.slice_number(MID)
    tab.wheel(MID, 4)
    tab.wait_for_slice(MID, lambda number: abs(number - here) == 4)
    tab.drag(MID, (-60, 40), (-45, 40))
    drawn = tab.wait_for_volume(name, lambda volume: volume > drawn, "grows")
    tab.button("Fill between").click()
    tab.wait_for_volume(name, lambda volume: volume > 1.8 * drawn, "grows")
    for _ in range(3):
        tab.press("Control+z")
        tab.page.wait_for_timeout(600)
    tab.press("Escape")
    assert set(tab.rows()) == known


def test_accept_reject_and_undo_by_keys_and_buttons(tab):
    accepted, rejected = _lesions(tab, 3)[1:]
    tab.select(accepted)
    tab.press("a")
    tab.wait_for_cell(accepted, "State", "accepted")
    tab.select(rejected)
    tab.press("x")
    tab.wait_for_cell(rejected, "State", "rejected")
    tab.button("Undecided").click()
    tab.wait_for_cell(rejected, "State", "proposed")
    tab.button("Reject").click()
    tab.wait_for_cell(rejected, "State", "rejected")
    tab.press("z")
    tab.wait_for_cell(rejected, "State", "proposed")
    tab.press("Control+y")
    tab.wait_for_cell(rejected, "State", "rejected")


def test_a_lesion_is_renamed_in_the_table(tab):
    name = tab.rows()[-1]
    tab.select(name)
    tab.press("F2")
    field = tab.page.locator(".hn-rename")
    field.fill("GTVn 77")
    field.press("Enter")
    tab.row("GTVn 77").wait_for()
    assert name not in tab.rows()


def test_a_lesion_that_is_hidden_leaves_the_picture(tab):
    (name,) = _lesions(tab, 1)
    tab.select(name)
    tab.page.wait_for_timeout(500)
    before = tab.picture(MID)
    tab.press("h")
    tab.wait("name => document.querySelector(`tr[data-lesion='${name}']`).classList.contains('gone')", name)
    tab.page.wait_for_timeout(500)
    assert np.abs(tab.picture(MID) - before).max() > 30
    tab.press("h")


def test_a_page_that_is_loaded_again_shows_everything_as_it_was(tab):
    table = tab.page.locator(".hn-table").inner_text()
    tab.wheel(MID, 2)
    tab.page.wait_for_timeout(600)
    number, selected = tab.slice_number(MID), tab.selected()
    tab.page.reload()
    tab.wait_for_views()
    tab.page.wait_for_selector("tr[data-lesion]")
    assert tab.page.locator(".hn-table").inner_text() == table
    assert tab.selected() == selected
    tab.wait_for_slice(MID, lambda shown: shown == number)
    assert tab.picture(MID).std() > 5


def test_an_export_waits_until_each_undecided_lesion_is_confirmed_by_name(tab):
    tab.press("Control+s")
    dialog = tab.page.locator('[data-dialog="export"]')
    dialog.wait_for()
    download = dialog.get_by_role("button", name="Download")
    assert download.is_disabled()
    boxes = dialog.locator(".hn-confirm input")
    for number in range(boxes.count()):
        assert download.is_disabled()
        boxes.nth(number).check()
    with tab.page.expect_download() as waiting:
        download.click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = archive.namelist()
    assert any(name.endswith("segmentation.nii.gz") for name in names)
    assert any(name.endswith("lesions.csv") for name in names)


def test_the_whole_review_asked_no_other_host_and_wrote_no_error(tab):
    assert tab.watched.foreign(tab.served.port) == []
    assert tab.watched.errors == []
    assert "Traceback" not in tab.served.text()
