"""What is asked in a dialog."""

from __future__ import annotations

from HNTargetSegLib.desktop.opening import Answer
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.review.autosave import SavedReview
from HNTargetSegLib.review.case import Concern, Question
from HNTargetSegLib.review.going_on import GoOn


def ask_about_case(questions: tuple[Question, ...]) -> Answer:
    """Show what speaks against a pair of images and let the user decide; no answer means no."""
    import qt
    import slicer

    box = qt.QMessageBox(slicer.util.mainWindow())
    box.setIcon(qt.QMessageBox.Warning)
    box.setWindowTitle(_("Are these the right images?"))
    box.setText("\n\n".join(question.text for question in questions))
    swap = None
    if any(question.concern is Concern.SWAPPED for question in questions):
        swap = box.addButton(_("Swap the visits"), qt.QMessageBox.AcceptRole)
    proceed = box.addButton(_("Continue as they are"), qt.QMessageBox.DestructiveRole)
    cancel = box.addButton(qt.QMessageBox.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec_()
    pressed = box.clickedButton()
    if swap is not None and pressed == swap:
        return Answer.SWAP
    return Answer.CONTINUE if pressed == proceed else Answer.CANCEL


def ask_about_saved(saved: SavedReview) -> GoOn:
    """Let the user decide about a review that is on disk; no answer means not to open the patient."""
    import qt
    import slicer

    box = qt.QMessageBox(slicer.util.mainWindow())
    box.setIcon(qt.QMessageBox.Question)
    box.setWindowTitle(_("This patient was under review"))
    text = _(
        "The review of patient {patient} of {time} with {count} lesions is kept on this computer. "
        "If you begin anew, it stays there."
    )
    time = saved.saved.strftime("%Y-%m-%d %H:%M")
    box.setText(text.format(patient=saved.patient, time=time, count=saved.lesions))
    go_on = box.addButton(_("Go on with it"), qt.QMessageBox.AcceptRole)
    anew = box.addButton(_("Begin anew"), qt.QMessageBox.DestructiveRole)
    cancel = box.addButton(qt.QMessageBox.Cancel)
    box.setDefaultButton(go_on)
    box.setEscapeButton(cancel)
    box.exec_()
    pressed = box.clickedButton()
    if pressed == go_on:
        return GoOn.CONTINUE
    return GoOn.ANEW if pressed == anew else GoOn.CANCEL


def ask_folder(title: str, start: str = "") -> str:
    """Let the user choose a folder; empty where they did not."""
    import qt
    import slicer

    return str(qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title, start) or "")


def ask_file(title: str, start: str = "", kinds: str = "") -> str:
    """Let the user choose a file; empty where they did not."""
    import qt
    import slicer

    return str(qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, start, kinds) or "")


def confirm(text: str, title: str) -> bool:
    """Ask for OK or Cancel."""
    import slicer

    return bool(slicer.util.confirmOkCancelDisplay(text, title))


def show_folder(path: str) -> None:
    """Open a file or folder with what the system uses for it."""
    import qt

    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(path))
