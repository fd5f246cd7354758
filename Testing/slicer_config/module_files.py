"""The files that HNTargetSeg/CMakeLists.txt must list: ``python Testing/slicer_config/module_files.py --write``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = "HNTargetSeg"
LISTS = {"scripts": "MODULE_PYTHON_SCRIPTS", "resources": "MODULE_PYTHON_RESOURCES"}


def module_files(repository: Path = REPOSITORY) -> dict[str, list[str]]:
    """Files of the Slicer module as they lie in the checkout, relative to its folder and sorted."""
    home = repository / MODULE
    scripts = [home / f"{MODULE}.py", *(home / f"{MODULE}Lib").rglob("*.py")]
    resources = [path for path in (home / "Resources").rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {
        "scripts": sorted(path.relative_to(home).as_posix() for path in scripts),
        "resources": sorted(path.relative_to(home).as_posix() for path in resources),
    }


def listed_files(text: str) -> dict[str, list[str]]:
    """Files that the text of the CMakeLists.txt lists."""
    return {kind: _block(text, variable).group(1).split() for kind, variable in LISTS.items()}


def with_files(text: str, files: dict[str, list[str]]) -> str:
    """The text of the CMakeLists.txt with these files in place of those that it lists."""
    for kind, variable in LISTS.items():
        start, end = _block(text, variable).span(1)
        text = text[:start] + "\n" + "".join(f"  {name}\n" for name in files[kind]) + "  " + text[end:]
    return text


def differences(repository: Path = REPOSITORY) -> list[str]:
    """Lines to add (+) and to take away (-) so that the list is what lies in the checkout."""
    listed = listed_files((repository / MODULE / "CMakeLists.txt").read_text(encoding="utf-8"))
    found = module_files(repository)
    lines = []
    for kind, variable in LISTS.items():
        lines += [f"{variable}: + {name}" for name in found[kind] if name not in listed[kind]]
        lines += [f"{variable}: - {name}" for name in listed[kind] if name not in found[kind]]
        if not lines and listed[kind] != found[kind]:
            lines.append(f"{variable}: a file stands twice, or they are not in alphabetical order")
    return lines


def main(arguments: list[str]) -> int:
    """Print the differences, or write the list."""
    path = REPOSITORY / MODULE / "CMakeLists.txt"
    lines = differences()
    print("\n".join(lines) or f"{path.relative_to(REPOSITORY)} lists what is there.")
    if "--write" in arguments:
        path.write_text(with_files(path.read_text(encoding="utf-8"), module_files()), encoding="utf-8")
        return 0
    return 1 if lines else 0


def _block(text: str, variable: str) -> re.Match[str]:
    match = re.search(rf"set\({variable}\b([^)]*)\)", text)
    if match is None:
        raise ValueError(f"no set({variable} ...) in the CMakeLists.txt of {MODULE}")
    return match


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
