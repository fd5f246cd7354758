"""The pre-RT lesions on the mid-RT image, from the page: registered, given, looked at, refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.review.registering import Registering, figures
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.desk import Desk, told

_SHOWN = frozenset({Part.CASE, Part.PRIOR, Part.RUN, Part.LESIONS, Part.VOXELS})
_STAGES = {
    "rigid": "Aligning as a whole",
    "deformable": "Deforming",
    "check": "Checking by registering back",
    "carry": "Carrying the lesions",
}


class PriorCard:
    """The part of the Segment card about the visit before.

    Parameters
    ----------
    desk
        The review.
    allowed
        Folders of the server whose files may be taken.
    """

    def __init__(self, desk: Desk, allowed: AllowedFolders) -> None:
        self.desk = desk
        self._allowed = allowed
        desk.session.changed.connect(self._on_change)
        desk.state.change("prior_preview")(lambda **_: self._preview())
        desk.state.prior = prior_view(self._registering, busy=False)

    @told
    def register_visits(self) -> None:
        """Register the visits."""
        self._take_in()
        self._registering.start(device=str(self.desk.state.device))

    @told
    def cancel_registration(self) -> None:
        """Stop at the next step; a run that waits for it stops too."""
        self.desk.segmenting.cancel()
        self._registering.cancel()

    @told
    def confirm_registration(self) -> None:
        """Use a registration in spite of its flag."""
        self._registering.confirm()

    @told
    def forget_prior(self) -> None:
        """Go on without pre-RT lesions."""
        self.desk.segmenting.require_idle()
        self._registering.forget()

    @told
    async def take_prior_file(self) -> None:
        """Use the file of the card: a transform, or a registered delineation."""
        from HNTargetSegLib.prior.given import TRANSFORM_SUFFIXES, read_registered_mask, read_transform

        self._take_in()
        path = self._allowed.checked(str(self.desk.state.prior_file or ""))
        if not path.is_file():
            raise BadInputError("This is no file", path=path, remedy="Name a transform or a mask")
        if path.suffix.lower() in TRANSFORM_SUFFIXES:
            transform = await asyncio.to_thread(read_transform, path)
            self._registering.start(transform=transform, source=path.name, device=str(self.desk.state.device))
        else:
            mid = self.desk.session.require(Visit.MID).image.image
            mask = await self.desk.wait("Reading the mask", read_registered_mask, Path(path), mid)
            self._registering.use_mask(mask)
        self.desk.state.flush()

    @property
    def _registering(self) -> Registering:
        return self.desk.segmenting.registering

    def _take_in(self) -> None:
        """What was drawn since is part of what is carried."""
        self.desk.segmenting.require_idle()
        self.desk.scene.process_pending()

    def _on_change(self, change: Change) -> None:
        if change.part in _SHOWN:
            self.desk.state.prior = prior_view(self._registering, busy=self.desk.segmenting.busy)
        if change.part in (Part.CASE, Part.PRIOR):
            self._preview()

    @told
    def _preview(self) -> None:
        wanted = bool(self.desk.state.prior_preview)
        self.desk.scene.preview_prior(self._registering.carried if wanted else None)


def prior_view(registering: Registering, *, busy: bool) -> dict[str, Any]:
    """What the card shows, as plain values: state in words, figures, and what can be pressed."""
    state, shown = registering.state, registering.offered or registering.prior
    fraction = state.fraction
    stage = "Stopping" if state.cancelling else _STAGES.get(state.stage, "Starting")
    return {
        "text": _in_words(registering),
        "poor": shown is not None and not shown.quality.good,
        "good": registering.prior is not None and registering.prior.quality.good,
        "problems": [] if shown is None else list(shown.quality.problems),
        "figures": [] if shown is None else [{"title": t, "value": v} for t, v in figures(shown).items()],
        "offered": registering.offered is not None,
        "carried": registering.carried is not None,
        "obstacle": registering.obstacle,
        "busy": busy,
        "running": state.running,
        "cancelling": state.cancelling,
        "stage": stage if state.running else "",
        "percent": -1 if fraction is None else round(100 * fraction),
    }


def _in_words(registering: Registering) -> str:
    if registering.offered is not None:
        return "The registration is poor and is not used."
    prior = registering.prior
    if prior is None:
        return "A registered delineation was given." if registering.given else registering.obstacle or "Not registered."
    names = ", ".join(lesion.name for lesion in prior.registered.lesions)
    if not prior.quality.good:
        return f"Poor registration, used as you have confirmed. Carried: {names}"
    how = f"By the transform {prior.source}" if prior.engine == "given" else "Registered"
    return f"{how}: good. Carried: {names}"
