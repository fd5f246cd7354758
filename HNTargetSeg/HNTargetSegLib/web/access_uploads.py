"""Files that a browser sends: counted while they come, named safely, kept until the session ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError, ModelError, OutputError, TargetSegError

if TYPE_CHECKING:
    from HNTargetSegLib.worker.private_folder import PrivateFolder

UPLOAD_PATH = "/uploads"
"""Where the page posts its files to."""

# Posts each file under its path in the chosen folder; resolves to {"files": n} or {"error": {...}}.
UPLOAD_SCRIPT = """
window.hntargetsegUpload = function (files, onProgress) {
  return new Promise(function (resolve) {
    const form = new FormData();
    for (const file of files) { form.append("files", file, file.webkitRelativePath || file.name); }
    const request = new XMLHttpRequest();
    request.upload.onprogress = function (event) {
      if (onProgress && event.lengthComputable) { onProgress(event.loaded / event.total); }
    };
    request.onload = function () {
      try { resolve(JSON.parse(request.responseText)); }
      catch (_) { resolve({ error: { message: "The upload was refused", remedy: "Reload the page" } }); }
    };
    request.onerror = function () {
      resolve({ error: { message: "The upload broke off", remedy: "Check the connection and try again" } });
    };
    request.open("POST", "uploads");
    request.send(form);
  });
};
"""
"""Script of the page: ``hntargetsegUpload(files, onProgress)``."""

_CHUNK = 1 << 18
_DEPTH = 8
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class UploadLimits:
    """How much a browser may send at once.

    Attributes
    ----------
    size
        Bytes, as sent and again as unpacked from archives.
    files
        Files as sent, and again in an archive.
    """

    size: int = 4 << 30
    files: int = 10_000


class _TooMuchError(BadInputError):
    """An upload beyond its limits."""


class Uploads:
    """What browsers have sent in this session.

    Parameters
    ----------
    limits
        How much is taken at once.
    received
        Called on the server's thread with the folder of a complete upload, archives unpacked.
    """

    def __init__(self, limits: UploadLimits, received: Callable[[Path], None]) -> None:
        self._limits = limits
        self._received = received
        self._home: PrivateFolder | None = None
        self._count = 0

    def add_route(self, app: Any) -> None:
        """Take posts at ``UPLOAD_PATH`` of an aiohttp application."""
        app.router.add_post(UPLOAD_PATH, self._take)

    def remove(self) -> None:
        """Delete all that was sent."""
        if self._home is not None:
            self._home.remove()
            self._home = None

    async def _take(self, request: Any) -> Any:
        import asyncio

        from aiohttp import web

        try:
            folder = self._new_folder()
            count = await self._save(request, folder)
            await asyncio.get_running_loop().run_in_executor(None, unpack_archives, folder, self._limits)
            self._received(folder)
        except TargetSegError as error:
            # What was not read of the upload is not waited for.
            request.protocol.keep_alive(False)
            said = {"message": error.what, "path": error.path, "remedy": error.remedy}
            return web.json_response({"error": said}, status=413 if isinstance(error, _TooMuchError) else 400)
        return web.json_response({"files": count})

    async def _save(self, request: Any, folder: Path) -> int:
        if not request.content_type.startswith("multipart/"):
            raise BadInputError("This is not an upload", remedy="Choose the files on the page")
        size = count = 0
        async for part in await request.multipart():
            if part.filename is None:
                continue
            count += 1
            self._check(count, size)
            target = folder.joinpath(*safe_name(part.filename).parts)
            if target.exists():
                raise BadInputError("Two files of one name were sent", path=part.filename, remedy="Send them apart")
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as stream:
                    while chunk := await part.read_chunk(_CHUNK):
                        size += len(chunk)
                        self._check(count, size)
                        stream.write(chunk)
            except OSError as error:
                raise OutputError(
                    f"The upload cannot be stored ({error.strerror or error})", remedy="Free space on the disk"
                ) from error
        if not count:
            raise BadInputError("The upload holds no file", remedy="Choose the images of one patient")
        return count

    def _check(self, count: int, size: int) -> None:
        if count > self._limits.files:
            raise _TooMuchError(f"There are more than {self._limits.files} files", remedy="Send one patient at a time")
        if size > self._limits.size:
            raise _TooMuchError(
                f"The upload is more than {self._limits.size / 1e6:g} MB",
                remedy="Send one patient at a time, or open the folder on the machine that runs the review",
            )

    def _new_folder(self) -> Path:
        from HNTargetSegLib.worker.private_folder import PrivateFolder

        if self._home is None:
            self._home = PrivateFolder()
        self._count += 1
        folder = self._home.path / f"upload-{self._count}"
        folder.mkdir()
        return folder


def safe_name(name: str) -> PurePosixPath:
    """A relative path that stays below the folder it is joined to, and that every system can write.

    Raises
    ------
    BadInputError
        If the name leads elsewhere or is no name at all.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    bad = (
        not parts
        or len(parts) > _DEPTH
        or any(
            part in ("/", "..") or len(part.encode()) > 200 or _FORBIDDEN.search(part) or _DEVICES.fullmatch(part)
            for part in parts
        )
    )
    if bad:
        raise BadInputError("A file that was sent has a name that cannot be used", path=name, remedy="Rename it")
    return PurePosixPath(*parts)


def unpack_archives(folder: Path, limits: UploadLimits) -> None:
    """Put a folder in the place of each zip archive in ``folder``, with what is in it.

    Raises
    ------
    BadInputError
        If an archive is damaged, leads outside, holds links or is larger than allowed.
    OutputError
        If the disk is full.
    """
    from HNTargetSegLib.models.archive import Limits, unpacked

    for archive in sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".zip"):
        # Slices with much air pack well; the size is what counts here.
        allowed = Limits(files=limits.files, size=limits.size, ratio=1000.0)
        target = archive.with_suffix("")
        if target.exists():
            target = archive.with_name(archive.name + " unpacked")
        try:
            with unpacked(archive, archive.parent, allowed) as content:
                # All files are there, so their folder can be kept; the temporary one is taken away empty.
                content.rename(target)
                content.mkdir()
        except ModelError as error:
            remedy = "Pack the images of one patient into a new zip, or send the files themselves"
            raise BadInputError(error.what, path=archive.name, remedy=remedy) from error
        archive.unlink()
