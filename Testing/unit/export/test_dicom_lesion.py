"""Names, algorithm types and UIDs of lesions in DICOM."""

from __future__ import annotations

from dataclasses import replace

import pytest

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.export.dicom_lesion import Algorithm, exported, generation, lesion_uid, require_names
from HNTargetSegLib.lesions.lesion import LesionSet, Origin, State

PRE = SeriesIdentity(patient_id="P7", patient_birth_date="19500101", study_instance_uid="1.2.3")
MID = replace(PRE, study_instance_uid="1.2.4")


@pytest.mark.parametrize(
    ("origin", "state", "expected"),
    [
        (Origin.MODEL, State.PROPOSED, "AUTOMATIC"),
        (Origin.MODEL, State.ACCEPTED, "AUTOMATIC"),
        (Origin.MODEL, State.EDITED, "SEMIAUTOMATIC"),
        (Origin.PROMPT, State.ACCEPTED, "SEMIAUTOMATIC"),
        (Origin.HAND, State.ACCEPTED, "MANUAL"),
        (Origin.HAND, State.EDITED, "MANUAL"),
        (Origin.HAND, State.ADDED, "MANUAL"),
    ],
)
def test_state_and_origin_say_how_a_lesion_was_made(
    lesions: LesionSet, origin: Origin, state: State, expected: str
) -> None:
    assert generation(replace(lesions.lesions[0], origin=origin, state=state)).value == expected


def test_a_lesion_has_one_uid_at_both_visits_and_each_lesion_its_own(lesions: LesionSet) -> None:
    tumour, node = lesions
    assert lesion_uid(PRE, tumour) == lesion_uid(MID, replace(tumour, id=9, voxels=3))
    assert lesion_uid(PRE, tumour) != lesion_uid(PRE, node)
    assert lesion_uid(PRE, tumour) != lesion_uid(replace(PRE, patient_id="P8"), tumour)
    assert len(lesion_uid(PRE, tumour)) <= 64


def test_without_a_patient_id_two_studies_share_no_uid(lesions: LesionSet) -> None:
    tumour = lesions.lesions[0]
    pre, mid = replace(PRE, patient_id=""), replace(MID, patient_id="")
    assert lesion_uid(pre, tumour) != lesion_uid(mid, tumour)


@pytest.mark.parametrize("name", ["GTVp", "GTVp2", "GTVp_MR1", "GTVp^left"])
def test_names_of_tg263_are_allowed(lesions: LesionSet, name: str) -> None:
    require_names([replace(lesions.lesions[0], name=name)])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("GTVp_MR1_of_March", "17 characters"),
        ("GTVn1", "no TG-263 name of a primary tumour"),
        ("tumour", "no TG-263 name"),
        ("", "0 characters"),
        ("GTVp\\2", "no backslash"),
    ],
)
def test_other_names_are_refused(lesions: LesionSet, name: str, what: str) -> None:
    assert lesions.lesions[0].label is Target.PT
    with pytest.raises(BadInputError, match=what):
        require_names([replace(lesions.lesions[0], name=name)])


def test_any_name_may_be_allowed_up_to_64_characters(lesions: LesionSet) -> None:
    require_names([replace(lesions.lesions[0], name="x" * 64)], any_name=True)
    with pytest.raises(BadInputError, match="65 characters"):
        require_names([replace(lesions.lesions[0], name="x" * 65)], any_name=True)


def test_rejected_lesions_stay_here_and_nothing_at_all_is_an_error(lesions: LesionSet) -> None:
    tumour, node = lesions
    left = lesions.with_lesions(replace(node, state=State.REJECTED))
    assert [lesion.name for lesion in exported(left)] == [tumour.name]
    with pytest.raises(BadInputError, match="no lesion to export"):
        exported(left.with_lesions(replace(tumour, state=State.REJECTED)))


def test_an_algorithm_needs_a_name_that_dicom_can_hold() -> None:
    with pytest.raises(BadInputError, match="name or version"):
        Algorithm("", "1")
    with pytest.raises(BadInputError, match="name or version"):
        Algorithm("model", "x" * 65)
