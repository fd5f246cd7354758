"""From labels to numbered, named and measured lesions."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.read import read_mask
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.find import array_probability, find_lesions, remeasure
from HNTargetSegLib.lesions.lesion import Origin, Side, State

SMALL_NODE = (2, slice(1, 2), slice(3, 5), slice(2, 5))
LARGE_NODE = (2, slice(1, 4), slice(3, 8), slice(28, 36))
TUMOUR = (1, slice(5, 9), slice(10, 20), slice(15, 25))
SECOND_TUMOUR = (1, slice(5, 6), slice(2, 4), slice(20, 22))


def test_primaries_come_first_and_then_nodes_by_volume(lesions_of):
    found = lesions_of(SMALL_NODE, LARGE_NODE, TUMOUR)
    assert [(lesion.id, lesion.name, lesion.label) for lesion in found] == [
        (1, "GTVp", Target.PT),
        (2, "GTVn1", Target.LN),
        (3, "GTVn2", Target.LN),
    ]
    assert found[2].voxels > found[3].voxels


def test_several_primaries_are_numbered(lesions_of):
    assert [lesion.name for lesion in lesions_of(TUMOUR, SECOND_TUMOUR)] == ["GTVp1", "GTVp2"]


def test_size_place_and_side_are_those_of_the_painted_box(lesions_of):
    node = lesions_of(LARGE_NODE, TUMOUR)[2]
    assert node.voxels == 3 * 5 * 8
    assert node.volume_cc == pytest.approx(1.2)
    assert node.centroid == pytest.approx((31.5 - 19.5, 5 * 2, 100 + 2 * 5))
    assert node.box == ((1, 4), (3, 8), (28, 36))
    assert node.side is Side.LEFT
    assert (node.state, node.origin) == (State.PROPOSED, Origin.MODEL)
    # Edge middles of a box of 8 mm x 10 mm with voxels of 1 mm x 2 mm: the longest diagonal joins upper to lower edges.
    assert node.long_mm == pytest.approx(np.hypot(7, 10))


def test_the_side_follows_the_midline_that_is_given(painted):
    labels = painted(LARGE_NODE)
    assert find_lesions(labels, midline_mm=30.0)[1].side is Side.RIGHT
    assert find_lesions(labels, midline_mm=13.0)[1].side is Side.MIDLINE


def test_an_empty_map_has_no_lesions(painted):
    found = find_lesions(painted())
    assert len(found) == 0
    assert not found.label_map().array.any()


def test_probabilities_are_those_of_the_label_inside_the_lesion_only(painted):
    labels = painted(LARGE_NODE, TUMOUR)
    rng = np.random.default_rng(0)
    arrays = {label: rng.random(labels.array.shape).astype(np.float32) for label in Target}
    asked = []

    def lazily(label, box):
        asked.append((label, box))
        return arrays[label][box]

    for probability in (array_probability(arrays), lazily):
        for lesion in find_lesions(labels, probability):
            inside = arrays[lesion.label][labels.array == lesion.label].astype(float)
            assert lesion.p_mean == pytest.approx(inside.mean())
            assert lesion.p_max == pytest.approx(inside.max())
    assert asked == [(lesion.label, lesion.slices) for lesion in find_lesions(labels)]


def test_without_a_model_there_are_no_probabilities(painted):
    only_nodes = array_probability({Target.LN: np.full(painted().array.shape, 0.75, np.float32)})
    tumour, node = find_lesions(painted(LARGE_NODE, TUMOUR), only_nodes)
    assert (tumour.p_mean, tumour.p_max) == (None, None)
    assert (node.p_mean, node.p_max) == (0.75, 0.75)


def test_the_minimum_volume_is_off_by_default_and_leaves_small_lesions_out_of_list_and_map(painted):
    labels = painted(SMALL_NODE, LARGE_NODE)
    assert len(find_lesions(labels)) == 2
    filtered = find_lesions(labels, minimum_cc=0.5)
    assert [lesion.name for lesion in filtered] == ["GTVn1"]
    assert (filtered.ids.array > 0).sum() == filtered[1].voxels


def test_connectivity_is_an_option(painted):
    corner = painted((2, slice(0, 2), slice(0, 2), slice(0, 2)), (2, slice(2, 4), slice(2, 4), slice(2, 4)))
    assert len(find_lesions(corner)) == 1
    assert len(find_lesions(corner, connectivity=6)) == 2


def test_primary_and_node_that_touch_are_two_lesions(lesions_of):
    touching = lesions_of((1, slice(0, 3), slice(0, 5), slice(0, 5)), (2, slice(0, 3), slice(0, 5), slice(5, 10)))
    assert [lesion.name for lesion in touching] == ["GTVp", "GTVn1"]


@pytest.mark.parametrize("value", [3, 255])
def test_a_label_of_its_own_is_refused(painted, value):
    with pytest.raises(BadInputError, match=f"labels.nii.gz: .* to {value}"):
        find_lesions(painted((value, slice(0, 1), slice(0, 1), slice(0, 1))))


def test_fractions_and_negative_labels_are_refused(painted):
    for value in (0.5, -1.0):
        labels = painted()
        array = labels.array.astype(np.float32)
        array[0, 0, 0] = value
        with pytest.raises(BadInputError, match="whole numbers"):
            find_lesions(labels.with_array(array))


def test_more_pieces_than_ids_are_refused():
    array = np.zeros((82, 82, 82), np.uint8)
    array[::2, ::2, ::2] = 1
    with pytest.raises(BadInputError, match="68921 separate pieces, more than 65535"):
        find_lesions(Volume(array, Geometry((82, 82, 82))))


def test_remeasure_keeps_names_and_words_and_takes_sizes_from_the_map(painted):
    found = find_lesions(painted(SMALL_NODE, LARGE_NODE), origin=Origin.PROMPT)
    ids = found.ids.array.copy()
    ids[1:4, 3:8, 28:32] = 2  # half of the large node goes to the small one
    again = remeasure(found.ids.with_array(ids), found.lesions)
    assert [(lesion.id, lesion.name) for lesion in again] == [(1, "GTVn1"), (2, "GTVn2")]
    assert again[1].voxels == found[1].voxels // 2
    assert again[2].voxels == found[2].voxels + found[1].voxels // 2
    assert again[2].box == ((1, 4), (3, 8), (2, 32))
    assert again[2].origin is Origin.PROMPT


def test_remeasure_leaves_out_erased_lesions_and_refuses_unknown_ids(painted):
    found = find_lesions(painted(SMALL_NODE, LARGE_NODE))
    ids = found.ids.array.copy()
    ids[ids == 1] = 0
    assert [lesion.id for lesion in remeasure(found.ids.with_array(ids), found.lesions)] == [2]
    ids[0, 0, 0] = 9
    with pytest.raises(BadInputError, match=r"\[9\]"):
        remeasure(found.ids.with_array(ids), found.lesions)


def test_real_masks_are_cut_into_lesions_that_make_up_the_whole(real_data):
    for case, primaries in (("8", 0), ("77", 1), ("88", 1)):
        labels = read_mask(real_data / "hntsmrg2024-masks" / f"{case}_midRT_mask.nii.gz")
        found = find_lesions(labels)
        assert np.array_equal(found.label_map().array, labels.array)
        assert (sum(lesion.label is Target.PT for lesion in found) > 0) == bool(primaries)
        total = (labels.array > 0).sum() * labels.geometry.voxel_cc
        assert sum(lesion.volume_cc for lesion in found) == pytest.approx(total)
        assert all(0 < lesion.short_mm <= lesion.long_mm < 80 for lesion in found)
