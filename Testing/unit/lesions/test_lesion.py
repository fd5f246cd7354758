"""What a lesion and a set of lesions guarantee."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.lesion import Fate, LesionSet, State

NODE = (2, slice(1, 4), slice(3, 8), slice(2, 9))
NEIGHBOUR = (2, slice(1, 4), slice(3, 8), slice(12, 20))
TUMOUR = (1, slice(5, 9), slice(10, 20), slice(15, 25))


def test_touching_lesions_stay_apart_and_share_one_label(lesions_of):
    found = lesions_of(NODE, NEIGHBOUR)
    ids = found.ids.array.copy()
    ids[1:4, 3:8, 9:12] = 1  # the first grows until it touches the second
    touching = LesionSet(found.ids.with_array(ids), found.lesions)
    assert {1, 2} == set(np.unique(touching.ids.array)) - {0}
    assert (touching.label_map().array > 0).sum() == (ids > 0).sum()
    assert set(np.unique(touching.label_map().array)) == {0, 2}


def test_label_map_gives_back_the_labels_that_the_lesions_came_from(painted, lesions_of):
    labels = painted(NODE, NEIGHBOUR, TUMOUR)
    derived = lesions_of(NODE, NEIGHBOUR, TUMOUR).label_map()
    assert np.array_equal(derived.array, labels.array)
    assert derived.array.dtype == np.uint8
    assert derived.geometry == labels.geometry


def test_a_rejected_lesion_stays_in_the_id_map_and_leaves_the_label_map(lesions_of):
    found = lesions_of(NODE, TUMOUR)
    changed = found.with_lesions(replace(found[2], state=State.REJECTED))
    assert set(np.unique(changed.label_map().array)) == {0, 1}
    assert changed.ids.array.max() == 2
    assert [lesion.id for lesion in changed.present] == [1]


def test_a_record_of_an_unknown_id_cannot_be_put_in(lesions_of):
    found = lesions_of(NODE)
    with pytest.raises(KeyError):
        found.with_lesions(replace(found[1], id=7))


def test_two_lesions_with_one_id_are_refused(lesions_of):
    found = lesions_of(NODE)
    with pytest.raises(BadInputError, match="share one id"):
        LesionSet(found.ids, (found[1], replace(found[1], name="GTVn9")))


def test_a_map_with_more_ids_than_records_is_refused(lesions_of):
    found = lesions_of(NODE, TUMOUR)
    with pytest.raises(BadInputError, match=r"labels.nii.gz: The lesion-id map holds 2, the list ends at 1"):
        LesionSet(found.ids, found.lesions[:1])


def test_a_map_of_another_type_is_refused(lesions_of):
    found = lesions_of(NODE)
    with pytest.raises(BadInputError, match="uint16"):
        LesionSet(found.ids.with_array(found.ids.array.astype(np.int32)), found.lesions)


def test_a_lesion_without_voxels_has_vanished_and_one_with_voxels_has_not(lesions_of):
    lesion = lesions_of(NODE)[1]
    with pytest.raises(BadInputError, match="contradicts"):
        replace(lesion, voxels=0)
    with pytest.raises(BadInputError, match="contradicts"):
        replace(lesion, fate=Fate.VANISHED)


@pytest.mark.parametrize("lesion_id", [0, -1, 65536])
def test_an_id_that_does_not_fit_the_map_is_refused(lesions_of, lesion_id):
    with pytest.raises(BadInputError, match="65535"):
        replace(lesions_of(NODE)[1], id=lesion_id)


def test_the_mask_of_a_lesion_holds_its_voxels_only(lesions_of):
    found = lesions_of(NODE, NEIGHBOUR)
    for lesion in found:
        assert found.mask(lesion).sum() == lesion.voxels
