"""The pre-RT lesions on the mid-RT image: registered here, by a transform of the scene, or elsewhere."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.dialogs import ask_file
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.review.registering import Registering, RegisterState, figures

_MASKS = "*.nii *.nii.gz *.nrrd *.mha *.mhd"
_REFRESHED = (Part.CASE, Part.PRIOR, Part.RUN, Part.LESIONS, Part.VOXELS)


class PriorPanel:
    """Shows what is known of the pre-RT lesions at the mid-RT visit, and gets it.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Prior")
        self._desk = desk
        ui = self._ui
        ui.registerButton.clicked.connect(self._on_register)
        ui.stopRegisterButton.clicked.connect(self._on_cancel)
        ui.confirmButton.clicked.connect(self._on_confirm)
        ui.forgetButton.clicked.connect(self._on_forget)
        ui.transformButton.clicked.connect(self._on_transform)
        ui.maskButton.clicked.connect(self._on_mask)
        ui.previewCheck.toggled.connect(self._on_preview)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._refresh()

    @property
    def registers_first(self) -> bool:
        """Whether a run on the mid-RT visit begins with a registration where there is none."""
        return bool(value_of(self._ui.autoCheck, "checked"))

    def set_scene(self, scene: Any) -> None:
        """Offer the transforms of a scene."""
        self._ui.transformCombo.setMRMLScene(scene)

    def close(self) -> None:
        """Stop listening."""
        self._disconnect()

    @property
    def _registering(self) -> Registering:
        # The desk has another one with another interpreter.
        return self._desk.segmenting.registering

    def _on_register(self) -> None:
        import slicer

        with self._desk.telling(), slicer.util.WaitCursor():
            self._desk.follow_edits()
            self._desk.segmenting.require_idle()
            self._registering.start(device=self._desk.settings.device)

    def _on_transform(self) -> None:
        import slicer

        from HNTargetSegLib.scene.transforms import transform_of

        with self._desk.telling(), slicer.util.WaitCursor():
            self._desk.follow_edits()
            self._desk.segmenting.require_idle()
            node = self._ui.transformCombo.currentNode()
            mid = self._desk.session.require(Visit.MID).image.image
            moving = self._desk.review_scene.volume_node(Visit.PRE)
            transform = transform_of(node, mid.geometry, moving=moving)
            self._registering.start(transform=transform, source=node.GetName(), device=self._desk.settings.device)

    def _on_mask(self) -> None:
        import slicer

        from HNTargetSegLib.prior.given import read_registered_mask

        path = ask_file(_("Pre-RT delineation on the mid-RT image"), "", _("Masks ({kinds})").format(kinds=_MASKS))
        if path:
            with self._desk.telling(), slicer.util.WaitCursor():
                mid = self._desk.session.require(Visit.MID).image.image
                self._registering.use_mask(read_registered_mask(path, mid))

    def _on_cancel(self) -> None:
        self._desk.segmenting.cancel()
        self._registering.cancel()

    def _on_confirm(self) -> None:
        with self._desk.telling():
            self._registering.confirm()

    def _on_forget(self) -> None:
        with self._desk.telling():
            self._registering.forget()

    def _on_preview(self) -> None:
        with self._desk.telling():
            self._preview()

    def _on_change(self, change: Change) -> None:
        if change.part in _REFRESHED:
            self._refresh()
        if change.part in (Part.CASE, Part.PRIOR):
            self._preview()

    def _preview(self) -> None:
        wanted = bool(value_of(self._ui.previewCheck, "checked"))
        self._desk.review_scene.preview_prior(self._registering.carried if wanted else None)

    def _refresh(self) -> None:
        registering, ui = self._registering, self._ui
        state, busy = registering.state, self._desk.segmenting.busy
        obstacle = registering.obstacle
        ui.priorState.setText(state_text(registering))
        shown = registering.offered or registering.prior
        lines = [] if shown is None else [f"{title}: {value}" for title, value in figures(shown).items()]
        ui.priorFigures.setText("\n".join(lines))
        ui.priorFigures.setVisible(bool(lines))
        ui.confirmButton.setVisible(registering.offered is not None)
        for button in (ui.registerButton, ui.transformButton):
            button.setEnabled(not obstacle and not busy)
            button.setToolTip(obstacle)
        ui.maskButton.setEnabled(Visit.MID in self._desk.session.visits and not busy)
        ui.stopRegisterButton.setEnabled(state.running and not state.cancelling)
        ui.forgetButton.setEnabled(not busy and registering.carried is not None)
        ui.previewCheck.setEnabled(registering.carried is not None)
        self._refresh_progress(state)

    def _refresh_progress(self, state: RegisterState) -> None:
        ui = self._ui
        ui.registerBar.setVisible(state.running)
        ui.registerLabel.setVisible(state.running)
        # An empty range makes the bar go to and fro.
        ui.registerBar.setMaximum(0 if state.running and state.fraction is None else 1000)
        ui.registerBar.setValue(round(1000 * (state.fraction or 0)))
        ui.registerLabel.setText(progress_text(state))


def state_text(registering: Registering) -> str:
    """Where the pre-RT lesions stand, in words."""
    if registering.offered is not None:
        problems = "\n".join(registering.offered.quality.problems)
        return _("The registration is poor and is not used:\n{problems}").format(problems=problems)
    if (prior := registering.prior) is not None:
        names = ", ".join(lesion.name for lesion in prior.registered.lesions)
        if not prior.quality.good:
            return _("Poor registration, used as you have confirmed. Carried: {names}").format(names=names)
        if prior.engine == "given":
            return _("By the transform {name}: good. Carried: {names}").format(name=prior.source, names=names)
        return _("Registered: good. Carried: {names}").format(names=names)
    if registering.given:
        return _("A registered delineation was given.")
    return registering.obstacle or _("Not registered yet.")


def progress_text(state: RegisterState) -> str:
    """What a registration is doing, in words; empty when none is at work."""
    if not state.running:
        return ""
    if state.cancelling:
        return _("Cancelling...")
    stages = {
        "rigid": _("Aligning as a whole"),
        "deformable": _("Deforming"),
        "check": _("Checking by registering back"),
        "carry": _("Carrying the lesions"),
    }
    return stages.get(state.stage, _("Starting..."))
