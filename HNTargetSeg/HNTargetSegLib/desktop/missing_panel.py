"""What is missing in Slicer's own Python, and the button that installs it."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CalledProcessError
from typing import Any

from HNTargetSegLib.desktop.install import InstallPlan, plan_installation, read_requirements
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import RESOURCES, load_ui

REQUESTER = "HNTargetSeg"
TORCH_EXTENSION = "PyTorch"


class MissingPanel:
    """Shown while something is missing; nothing is installed before the user has agreed.

    Parameters
    ----------
    installed
        Called once an installation is done.
    """

    def __init__(self, installed: Callable[[], None]) -> None:
        self.widget, self._ui = load_ui("Missing")
        self._installed = installed
        self._plan = InstallPlan()
        self._later = False
        self._ui.installButton.clicked.connect(self._on_install)
        self._ui.laterButton.clicked.connect(self._on_later)
        self.widget.setVisible(False)

    def refresh(self, *, own_python: bool = True) -> None:
        """Look what is missing; an interpreter of the user's own is not looked at here, its check does that."""
        requirements = read_requirements(RESOURCES / "requirements.txt") if own_python else ()
        self._plan = plan_installation(requirements, slicer_version())
        self._ui.missingLabel.setText(plan_text(self._plan))
        self.widget.setVisible(bool(self._plan) and not self._later)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the packages that were missing at the last look."""
        return self._plan.names

    def show_again(self) -> None:
        """Show it although the user wanted it later: it is needed now."""
        self._later = False
        self.widget.setVisible(bool(self._plan))

    def _on_later(self) -> None:
        self._later = True
        self.widget.setVisible(False)

    def _on_install(self) -> None:
        import slicer

        problem = install(self._plan)
        if problem:
            slicer.util.errorDisplay(problem, windowTitle=REQUESTER)
        self.refresh()
        if not self._plan:
            self._installed()


def slicer_version() -> tuple[int, int]:
    """Version of the Slicer that runs."""
    import slicer

    return int(value_of(slicer.app, "majorVersion")), int(value_of(slicer.app, "minorVersion"))


def plan_text(plan: InstallPlan) -> str:
    """What is missing and what the button will do, in sentences."""
    lines = [_("Segmentation needs Python packages that are missing: {names}.").format(names=", ".join(plan.names))]
    if plan.torch is not None and _torch_logic() is None:
        lines.append(
            _("torch comes with the extension PyTorch: install it in the Extensions Manager and restart Slicer.")
        )
    if plan.of_slicer:
        names = ", ".join(plan.of_slicer)
        lines.append(_("{names} should have come with Slicer: install Slicer again.").format(names=names))
    lines.append(_("Or name a Python that has them in Settings."))
    return " ".join(lines)


def install(plan: InstallPlan) -> str:
    """Install what is missing, asked first; returns what went wrong, empty when all is well or the user said no."""
    try:
        if plan.torch is not None and not _install_torch(plan.torch):
            return ""
        if plan.by_pip:
            _install_by_pip(plan.by_pip)
    except CalledProcessError as error:
        return _("The installation failed (status {status}). The Python console shows why.").format(
            status=error.returncode
        )
    except RuntimeError:
        # The user said no in Slicer's own dialog.
        return ""
    return ""


def _install_torch(requirement: str) -> bool:
    """Let the PyTorch extension choose and install the build; False where it is missing or the user said no."""
    logic = _torch_logic()
    if logic is None:
        return False
    return logic.installTorch(askConfirmation=True, torchVersionRequirement=requirement) is not None


def _torch_logic() -> Any | None:
    try:
        import PyTorchUtils
    except ImportError:
        return None
    return PyTorchUtils.PyTorchUtilsLogic()


def _install_by_pip(requirements: tuple[str, ...]) -> None:
    import slicer

    from HNTargetSegLib.desktop.install import SKIPPED

    try:
        import slicer.packaging
    except ImportError:
        _install_by_old_pip(requirements)
        return
    slicer.packaging.pip_ensure(list(requirements), skip_packages=list(SKIPPED), requester=REQUESTER)


def _install_by_old_pip(requirements: tuple[str, ...]) -> None:
    """Slicer up to 5.10 has neither a question nor a choice of packages of its own."""
    import slicer

    from HNTargetSegLib.desktop.dialogs import confirm

    text = _("These packages will be installed into Slicer's Python:\n\n{names}").format(names="\n".join(requirements))
    if confirm(text, REQUESTER):
        with slicer.util.WaitCursor():
            slicer.util.pip_install(list(requirements))
