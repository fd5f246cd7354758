"""A name under which SimpleITK can open a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def itk_name(path: Path) -> Iterator[str]:
    """Yield the name of an existing file for SimpleITK, which ends the process at a name that is not UTF-8.

    For the time of the block, such a file gets a symbolic link, or its folder one where only the folder's name is
    so: a header then finds its data file beside it.

    Raises
    ------
    OSError
        If the link cannot be made.
    """
    name = str(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            plain = path.name.encode("utf-8", "replace").decode("utf-8").replace("?", "_")
            link = Path(folder) / "link" / plain
            if plain == path.name:
                link.parent.symlink_to(path.parent.absolute(), target_is_directory=True)
            else:
                link.parent.mkdir()
                link.symlink_to(path.absolute())
            yield str(link)
    else:
        yield name
