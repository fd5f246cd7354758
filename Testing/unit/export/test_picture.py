"""The overlay picture shows what was found, where it is."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import GeometryError, OutputError
from HNTargetSegLib.export.picture import COLOURS, write_overlay, write_pair
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet, State

FOOTER = 40  # pixels that hold the words green and yellow, in white


def pixels_of(path, label):
    """(row, column) of the pixels that have a label's colour."""
    picture = matplotlib.image.imread(path)[:-FOOTER, :, :3]
    colour = np.array([int(COLOURS[label][n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.argwhere(np.abs(picture - colour).max(axis=-1) < 0.12)


def test_both_labels_are_outlined_in_their_colours(image, lesions, tmp_path):
    write_overlay(image, lesions, tmp_path / "overlay.png", "A patient")
    assert len(pixels_of(tmp_path / "overlay.png", 1)) > 200
    assert len(pixels_of(tmp_path / "overlay.png", 2)) > 200


def test_a_label_without_lesions_has_no_colour(image, lesions, tmp_path):
    only_node = lesions.with_lesions(replace(lesions[1], state=State.REJECTED))
    write_overlay(image, only_node, tmp_path / "overlay.png")
    assert len(pixels_of(tmp_path / "overlay.png", 1)) == 0
    assert len(pixels_of(tmp_path / "overlay.png", 2)) > 200


def test_a_lesion_on_the_patients_left_is_right_of_one_on_the_patients_right(image, lesions, tmp_path):
    write_overlay(image, lesions, tmp_path / "overlay.png")
    axial_width = matplotlib.image.imread(tmp_path / "overlay.png").shape[1] / 3
    tumour, node = (pixels_of(tmp_path / "overlay.png", label)[:, 1] for label in (1, 2))
    assert np.median(tumour[tumour < axial_width]) > np.median(node[node < axial_width])


def test_the_outline_encloses_the_bright_lesion(image, lesions, tmp_path):
    only_tumour = lesions.with_lesions(replace(lesions[2], state=State.REJECTED))
    write_overlay(image, only_tumour, tmp_path / "overlay.png")
    picture = matplotlib.image.imread(tmp_path / "overlay.png")[..., :3]
    third = picture.shape[1] // 3
    outline = pixels_of(tmp_path / "overlay.png", 1)
    outline = outline[outline[:, 1] < third]
    # The name stands beside the upper end; at the lower border there is outline only.
    bottom = outline[:, 0].max()
    left = outline[outline[:, 0] > bottom - 20][:, 1].min()
    assert picture[bottom - 8, left + 8].min() > 0.9
    assert picture[bottom + 8, left + 8].max() < 0.7
    assert picture[bottom - 8, left - 8].max() < 0.7


def test_a_name_that_has_no_room_in_its_plane_is_not_drawn_over_the_plane_beside_it(image, tmp_path):
    labels = np.zeros(image.array.shape, np.uint8)
    middle = labels.shape[1] // 2
    # The lesion fills the coronal plane, whose name would stand left of it, and is one line of the axial plane.
    labels[:, middle] = 2
    write_overlay(image, find_lesions(image.with_array(labels)), tmp_path / "overlay.png")
    pixels = pixels_of(tmp_path / "overlay.png", 2)
    axial = pixels[pixels[:, 1] < 0.3 * matplotlib.image.imread(tmp_path / "overlay.png").shape[1]]
    assert len(axial) > 200
    assert np.ptp(axial[:, 0]) < 0.2 * np.ptp(pixels[:, 0])


def test_without_lesions_the_picture_differs_by_words_and_has_no_outline(image, no_lesions, tmp_path):
    write_overlay(image, no_lesions, tmp_path / "none.png", "Title")
    assert len(pixels_of(tmp_path / "none.png", 1)) == len(pixels_of(tmp_path / "none.png", 2)) == 0
    picture = matplotlib.image.imread(tmp_path / "none.png")[..., :3]
    assert (picture[50:82, :300] > 0.9).any()  # the caption that says so


def test_there_is_a_row_for_each_of_at_most_three_lesions(image, tmp_path):
    heights = []
    for count in (1, 2, 3, 5):
        labels = np.zeros(image.array.shape, np.uint8)
        for n in range(count):
            labels[2:5, 5 : 8 + n, 8 * n + 2 : 8 * n + 6] = 2
        write_overlay(image, find_lesions(image.with_array(labels)), tmp_path / "overlay.png")
        heights.append(matplotlib.image.imread(tmp_path / "overlay.png").shape[0])
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_pre_and_mid_stand_one_above_the_other(image, lesions, no_lesions, tmp_path):
    write_pair((image, lesions), (image, no_lesions), tmp_path / "pair.png", "Two visits")
    height = matplotlib.image.imread(tmp_path / "pair.png").shape[0]
    rows = np.concatenate([pixels_of(tmp_path / "pair.png", label)[:, 0] for label in (1, 2)])
    assert len(rows) > 200
    assert rows.max() < height / 2


def test_visits_of_different_grids_fit_into_one_picture(image, lesions, tmp_path):
    coarse = Volume(np.ones((10, 20, 30), np.float32), Geometry((30, 20, 10), (4.0, 5.0, 9.0)))
    found = find_lesions(coarse.with_array(np.zeros(coarse.array.shape, np.uint8)))
    write_pair((coarse, found), (image, lesions), tmp_path / "pair.png")
    height = matplotlib.image.imread(tmp_path / "pair.png").shape[0]
    assert pixels_of(tmp_path / "pair.png", 1)[:, 0].min() > height / 2


def test_titles_may_hold_any_characters(image, lesions, tmp_path):
    write_overlay(image, lesions, tmp_path / "Müller 1.png", "Müller $x_ 患者 \\frac")
    assert (tmp_path / "Müller 1.png").stat().st_size > 10_000


def test_lesions_of_another_grid_are_refused(image, lesions, tmp_path):
    shifted = replace(image.geometry, origin=(0.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="grid differs"):
        write_overlay(Volume(image.array, shifted, "T2"), lesions, tmp_path / "overlay.png")
    assert not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_written_is_an_output_error(image, lesions, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_overlay(image, lesions, tmp_path / "file" / "overlay.png")


def test_pyplot_is_not_touched(image, lesions, tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, numpy as np\n"
        "from HNTargetSegLib.case.volume import Geometry, Volume\n"
        "from HNTargetSegLib.lesions.find import find_lesions\n"
        "from HNTargetSegLib.export.picture import write_overlay\n"
        "assert 'matplotlib' not in sys.modules\n"
        "image = Volume(np.eye(9, dtype=np.uint8)[None].repeat(9, 0), Geometry((9, 9, 9)))\n"
        "write_overlay(image, find_lesions(image), sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    environment = {
        "PYTHONPATH": ":".join(p for p in sys.path if p),
        "MPLCONFIGDIR": str(tmp_path),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "o.png")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.png").exists()


def test_real_masks_of_a_patient_are_drawn_in_both_colours(real_data, tmp_path):
    labels = read_mask(real_data / "hntsmrg2024-masks" / "88_midRT_mask.nii.gz")
    write_overlay(labels.with_array(labels.array * 0), find_lesions(labels), tmp_path / "overlay.png")
    for label in (1, 2):
        assert len(pixels_of(tmp_path / "overlay.png", label)) > 100


@pytest.mark.parametrize("file", ["T2w.nii.gz", "T1_head_ext2.nii.gz"])
def test_real_heads_of_any_orientation_are_drawn_upright(real_data, tmp_path, file):
    image = read_volume(real_data / "mr-nifti" / file)
    empty = LesionSet(image.with_array(np.zeros(image.array.shape, np.uint16)), ())
    write_overlay(image, empty, tmp_path / "overlay.png", file)
    picture = matplotlib.image.imread(tmp_path / "overlay.png")[90:-FOOTER, :, 0]
    axial = picture[:, : int(picture.shape[1] * 0.28)]
    # A head is longer than wide and lies upright in the axial plane.
    rows, columns = (np.flatnonzero((axial > 0.3).mean(axis=axis) > 0.1) for axis in (1, 0))
    assert np.ptp(rows) > 1.1 * np.ptp(columns)
