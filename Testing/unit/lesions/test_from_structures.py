"""From structures of DICOM objects to lesions."""

from __future__ import annotations

import numpy as np
import pytest

from HNTargetSegLib.case.dicom_structure import Structure, cropped
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.lesions.described import description, origin_made, state_described
from HNTargetSegLib.lesions.from_structures import lesions_of_structures
from HNTargetSegLib.lesions.lesion import Origin, State

GRID = Geometry((12, 10, 8), (1.0, 1.0, 2.0))


def structure(name: str, target: Target | None, start: int, stop: int, **words: str) -> Structure:
    mask = np.zeros(GRID.shape, bool)
    mask[2:5, 2:6, start:stop] = True
    return Structure(name, start, target, *cropped(mask), (), **words)


def test_a_description_of_ours_is_read_back_for_every_state():
    (lesion,) = lesions_of_structures([structure("GTVp", Target.PT, 1, 4)], GRID, "x").lesions
    from dataclasses import replace

    for state in State:
        assert state_described(description(replace(lesion, state=state))) is state
    assert state_described("drawn by somebody, left, accepted") is None


@pytest.mark.parametrize(
    ("made", "state", "origin"),
    [
        ("AUTOMATIC", State.ACCEPTED, Origin.MODEL),
        ("SEMIAUTOMATIC", State.EDITED, Origin.MODEL),
        ("SEMIAUTOMATIC", State.ACCEPTED, Origin.PROMPT),
        ("MANUAL", State.ADDED, Origin.HAND),
        ("", None, Origin.HAND),
    ],
)
def test_who_drew_it_first_is_told_by_the_algorithm_type(made, state, origin):
    assert origin_made(made, state) is origin


def test_where_structures_overlap_the_first_has_the_voxels_and_it_is_told():
    read = lesions_of_structures([structure("GTVp", Target.PT, 1, 5), structure("GTVn1", Target.LN, 4, 8)], GRID, "x")
    assert [lesion.voxels for lesion in read.lesions] == [48, 36]
    assert read.notes == ("12 voxels lie in several structures and count for the first of them.",)


def test_a_structure_that_another_covers_is_left_out_and_told():
    read = lesions_of_structures([structure("GTVp", Target.PT, 1, 5), structure("GTVp2", Target.PT, 2, 4)], GRID, "x")
    assert [lesion.name for lesion in read.lesions] == ["GTVp"]
    assert read.notes[0] == "GTVp2 has no voxel of its own and is left out."


def test_uids_stay_with_their_lesions_also_under_another_name():
    read = lesions_of_structures([structure("Tumour of the tongue", Target.PT, 1, 4, uid="1.2")], GRID, "x")
    assert read.uids == {"GTVp": "1.2"}


def test_a_structure_of_no_kind_is_refused():
    with pytest.raises(BadInputError, match="Nothing says what Cord is"):
        lesions_of_structures([structure("Cord", None, 1, 4)], GRID, "x")
