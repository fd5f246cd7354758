"""What a box does to the lesions of a visit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.lesions.find import find_lesions
from HNTargetSegLib.lesions.lesion import LesionSet, Origin, State
from HNTargetSegLib.prompts.answer import Answer, found_in
from HNTargetSegLib.prompts.applied import applied
from HNTargetSegLib.prompts.extent import extent_of
from HNTargetSegLib.prompts.prompt import Kind, Prompt

GEOMETRY = Geometry((60, 50, 40), (1.0, 1.0, 2.0), (-30.0, -25.0, 0.0))
PT = (slice(4, 8), slice(4, 10), slice(4, 10))
NEAR = (slice(18, 22), slice(20, 26), slice(20, 26))
FAR = (slice(34, 38), slice(40, 46), slice(48, 56))
MISSED = (slice(19, 23), slice(30, 36), slice(20, 28))


@pytest.fixture
def lesions() -> LesionSet:
    """GTVp, and nodes GTVn1 (far) and GTVn2 (near the place of a missed one)."""
    labels = np.zeros(GEOMETRY.shape, np.uint8)
    for label, place in ((1, PT), (2, NEAR), (2, FAR)):
        labels[place] = label
    return find_lesions(Volume(labels, GEOMETRY))


def answer(
    kind: Kind, box: tuple[slice, slice, slice], *found: tuple[slice, slice, slice], p: float = 0.8, of: int = 1
) -> Answer:
    """The answer of a network that sees targets where ``found`` says so."""
    prompt = Prompt.of_slices(kind, box, GEOMETRY)
    extent = extent_of(prompt, GEOMETRY)
    whole = np.zeros((2, *GEOMETRY.shape), np.float32)
    for place in found:
        whole[(of, *place)] = p
    labels, both = found_in(prompt, extent, whole[(slice(None), *extent.reach)], 0.5)
    return Answer(prompt, extent, labels, both.astype(np.float16))


def outside(lesions: LesionSet, region: tuple[slice, slice, slice]) -> np.ndarray:
    array = lesions.ids.array.copy()
    array[region] = 0
    return array


def with_state(lesions: LesionSet, name: str, state: State) -> LesionSet:
    lesion = next(lesion for lesion in lesions if lesion.name == name)
    return lesions.with_lesions(replace(lesion, state=state))


def test_a_missed_lesion_is_added_as_proposed_by_a_prompt(lesions: LesionSet) -> None:
    result = applied(lesions, answer(Kind.LN, MISSED, MISSED))
    (new,) = (lesion for lesion in result.lesions if lesion.id in result.drawn)
    assert (new.name, new.label, new.state, new.origin) == ("GTVn3", Target.LN, State.PROPOSED, Origin.PROMPT)
    assert new.voxels == 4 * 6 * 8
    assert new.box == ((19, 23), (30, 36), (20, 28))
    assert np.allclose(new.centroid, GEOMETRY.to_lps(np.array([20.5, 32.5, 23.5])))
    assert new.p_mean == pytest.approx(0.8, abs=1e-3)
    assert [lesion.name for lesion in result.lesions] == ["GTVp", "GTVn1", "GTVn2", "GTVn3"]


def test_the_label_is_that_of_the_box_whatever_the_network_holds_for_likelier(lesions: LesionSet) -> None:
    result = applied(lesions, answer(Kind.PT, MISSED, MISSED, of=1))
    assert result.lesions[result.drawn[0]].label is Target.PT


def test_look_again_keeps_the_labels_of_the_network_one_lesion_a_piece(lesions: LesionSet) -> None:
    other = (slice(19, 23), slice(30, 36), slice(32, 38))
    both = answer(Kind.AGAIN, (MISSED[0], MISSED[1], slice(20, 38)), MISSED, other, of=0)
    result = applied(lesions, both)
    assert [result.lesions[i].label for i in result.drawn] == [Target.PT, Target.PT]
    assert [result.lesions[i].voxels for i in result.drawn] == [192, 144]


def test_nothing_outside_the_reach_changes(lesions: LesionSet) -> None:
    long = (slice(0, 40), MISSED[1], MISSED[2])
    given = answer(Kind.LN, MISSED, long)
    result = applied(lesions, given)
    before, after = (outside(some, given.extent.reach) for some in (lesions, result.lesions))
    assert np.array_equal(before, after)
    assert result.lesions[result.drawn[0]].voxels == 28 * 6 * 8


def test_a_neighbour_in_the_reach_that_does_not_hang_together_with_the_box_stays(lesions: LesionSet) -> None:
    result = applied(lesions, answer(Kind.PT, MISSED, MISSED, NEAR))
    assert result.lesions[3] == lesions[3]
    assert np.array_equal(result.lesions.ids.array[NEAR], lesions.ids.array[NEAR])


@pytest.mark.parametrize("state", [State.ACCEPTED, State.EDITED, State.ADDED])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_box_leaves_accepted_lesions_untouched(lesions: LesionSet, state: State, kind: Kind) -> None:
    accepted = with_state(lesions, "GTVn2", state)
    wide = (slice(17, 23), slice(19, 36), slice(19, 28))
    result = applied(accepted, answer(kind, wide, wide))
    assert result.lesions[3] == accepted[3]
    assert np.array_equal(result.lesions.ids.array == 3, accepted.ids.array == 3)


def test_a_box_on_an_accepted_lesion_alone_changes_nothing_and_says_so(lesions: LesionSet) -> None:
    accepted = with_state(lesions, "GTVn2", State.ACCEPTED)
    result = applied(accepted, answer(Kind.LN, NEAR, NEAR))
    assert result.lesions is accepted
    assert result.changed == ()
    assert result.notes == ("All that was found belongs to accepted lesions",)


def test_an_undecided_lesion_that_is_drawn_anew_keeps_name_and_id(lesions: LesionSet) -> None:
    more = (slice(18, 24), slice(20, 27), slice(20, 26))
    result = applied(lesions, answer(Kind.LN, NEAR, more))
    assert result.drawn == result.changed == (3,)
    assert (result.lesions[3].name, result.lesions[3].voxels) == ("GTVn2", 6 * 7 * 6)
    assert result.lesions[3].origin is Origin.PROMPT


def test_an_undecided_lesion_under_a_box_of_the_other_label_becomes_a_new_one(lesions: LesionSet) -> None:
    result = applied(lesions, answer(Kind.PT, NEAR, NEAR))
    assert {lesion.name for lesion in result.lesions} == {"GTVp", "GTVn1", "GTVp1"}
    assert result.changed == (3, 4)


def test_where_nothing_is_found_nothing_changes(lesions: LesionSet) -> None:
    result = applied(lesions, answer(Kind.LN, NEAR))
    assert result.lesions is lesions
    assert result.drawn == ()


def test_nothing_here_takes_an_undecided_lesion_away(lesions: LesionSet) -> None:
    # Half of it in the box is enough: the rest lies within the reach.
    half = (slice(18, 20), NEAR[1], NEAR[2])
    result = applied(lesions, answer(Kind.NOTHING, half))
    assert [lesion.name for lesion in result.lesions] == ["GTVp", "GTVn1"]
    assert not (result.lesions.ids.array == 3).any()


def test_nothing_here_at_the_rim_of_a_lesion_takes_that_rim_alone(lesions: LesionSet) -> None:
    rim = (slice(18, 19), NEAR[1], NEAR[2])
    result = applied(lesions, answer(Kind.NOTHING, rim))
    assert result.lesions[3].voxels == 3 * 36
    assert result.lesions[3].state is State.PROPOSED


def test_a_rejected_lesion_stays_but_for_what_is_drawn_over_it(lesions: LesionSet) -> None:
    rejected = with_state(lesions, "GTVn2", State.REJECTED)
    part = (slice(18, 20), NEAR[1], NEAR[2])
    result = applied(rejected, answer(Kind.LN, part, part))
    assert result.lesions[3].voxels == 2 * 36
    assert result.lesions[3].state is State.REJECTED
    assert result.lesions[4].voxels == 2 * 36


def test_ids_that_are_in_use_elsewhere_are_not_given(lesions: LesionSet) -> None:
    assert applied(lesions, answer(Kind.LN, MISSED, MISSED), used=[7]).drawn == (8,)


def test_fifty_boxes_one_after_the_other_leave_a_set_that_fits_its_map(lesions: LesionSet) -> None:
    rng = np.random.default_rng(5)
    for number in range(50):
        low = rng.integers(0, np.array(GEOMETRY.shape) - 6)
        place = tuple(slice(int(n), int(n) + 5) for n in low)
        result = applied(lesions, answer(list(Kind)[number % 4], place, place))  # type: ignore[arg-type]
        lesions = result.lesions
    counts = np.bincount(lesions.ids.array.ravel(), minlength=1)
    assert {lesion.id: lesion.voxels for lesion in lesions} == {
        int(i): int(counts[i]) for i in np.flatnonzero(counts) if i
    }
