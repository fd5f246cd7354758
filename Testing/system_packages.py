"""System packages that some tests need: found, installed with apt where that is allowed, or the line to type."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    """A program or library from Debian's or Ubuntu's packages.

    Attributes
    ----------
    name
        As the tests name it.
    packages
        What apt installs.
    program, library
        What must be there afterwards.
    used_for
        One line for the user.
    """

    name: str
    packages: tuple[str, ...]
    used_for: str
    program: str = ""
    library: str = ""

    def present(self) -> bool:
        """Whether it can be used now."""
        if self.program:
            return shutil.which(self.program) is not None
        return ctypes.util.find_library(self.library) is not None


COMPONENTS = (
    Component(
        "egl", ("libegl1", "libegl-mesa0", "libgl1-mesa-dri"), "rendering the 3D views without a screen", library="EGL"
    ),
    Component("cmake", ("cmake",), "configuring the Slicer extension", program="cmake"),
    Component("chromium", ("chromium",), "driving the review page", program="chromium"),
    Component("dicom3tools", ("dicom3tools",), "checking written DICOM with dciodvfy", program="dciodvfy"),
    Component("dcmtk", ("dcmtk",), "sending written DICOM to another program's node", program="storescp"),
    Component("openssl", ("openssl",), "certificates for the tests of encrypted connections", program="openssl"),
    Component("plastimatch", ("plastimatch",), "reading written RTSTRUCT with another program", program="plastimatch"),
)


def missing() -> tuple[Component, ...]:
    """Components that are not there."""
    return tuple(component for component in COMPONENTS if not component.present())


def install_line(components: Iterable[Component]) -> str:
    """The one line that installs them."""
    packages = " ".join(package for component in components for package in component.packages)
    return f"apt-get install -y --no-install-recommends {packages}"


def install() -> tuple[Component, ...]:
    """Install what is missing where that is allowed; returns what is missing still."""
    absent = missing()
    if not absent or shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return absent
    print("Installing", ", ".join(component.name for component in absent), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False, stdout=subprocess.DEVNULL)
    for component in absent:
        # One by one: apt installs nothing at all when it does not know one of the names.
        command = [*install_line([component]).split(), "-qq"]
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
    return missing()


def main() -> int:
    """Install, report, and fail in CI when something is missing."""
    absent = install()
    for component in absent:
        print(f"Missing: {component.name} ({component.used_for}); tests that need it are skipped.")
    if absent and shutil.which("apt-get"):
        print(f"To install: sudo {install_line(absent)}")
    return 1 if absent and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
