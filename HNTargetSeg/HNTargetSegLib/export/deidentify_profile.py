"""By which profile an export is de-identified, and the secret key that replaces UIDs, patient ids and dates."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass, field
from enum import Enum
from os import PathLike
from pathlib import Path

from HNTargetSegLib.errors import BadInputError, OutputError

_KEY_BYTES = 32
_STANDARD_UIDS = "1.2.840.10008."
_LEADING_DAYS, _MOST_DAYS = 365, 3650


class Option(str, Enum):
    """What is kept beyond the basic profile."""

    DATES = "dates"
    PATIENT = "patient"
    DEVICE = "device"


_CODES = {
    None: (("113100", "Basic Application Confidentiality Profile"), ("113105", "Clean Descriptors Option")),
    Option.DATES: (("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),),
    Option.PATIENT: (("113108", "Retain Patient Characteristics Option"),),
    Option.DEVICE: (("113109", "Retain Device Identity Option"),),
}
"""Context group 7050 of PS3.16."""


@dataclass(frozen=True)
class Profile:
    """The basic profile with options.

    ``dates`` are shifted instead of removed, ``patient`` keeps sex, age, size and weight, ``device`` the scanner's
    make, model and software.
    """

    options: frozenset[Option] = frozenset()

    def __str__(self) -> str:
        return ",".join(["basic", *(option.value for option in Option if option in self.options)])

    @classmethod
    def from_text(cls, text: str) -> Profile:
        """The profile of ``basic``, or of ``basic,dates`` and so on.

        Raises
        ------
        BadInputError
            If a word is not known.
        """
        first, *others = [word.strip().lower() for word in text.split(",")]
        known = [option.value for option in Option]
        if first != "basic" or any(word not in known for word in others):
            raise BadInputError(
                f"'{text}' is no profile of de-identification",
                remedy=f"Give basic, alone or followed by some of {', '.join(known)}, such as basic,dates",
            )
        return cls(frozenset(Option(word) for word in others))

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Value and meaning of each code of the scheme DCM."""
        chosen = [None, *(option for option in Option if option in self.options)]
        return tuple(code for option in chosen for code in _CODES[option])


@dataclass(frozen=True)
class Key:
    """The secret that UIDs, patient ids and dates are replaced with. Who has it can tell which patient is which."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(_KEY_BYTES), repr=False)

    def digest(self, kind: str, text: str) -> bytes:
        """32 bytes that stand for ``text``."""
        return hmac.new(self.secret, f"{kind}\0{text}".encode(), hashlib.sha256).digest()

    def uid(self, uid: str) -> str:
        """What a UID becomes: one made of a UUID (PS3.5 B.2). UIDs of the standard itself stay."""
        if not uid or uid.startswith(_STANDARD_UIDS):
            return uid
        return f"2.25.{uuid.UUID(bytes=self.digest('uid', uid)[:16], version=4).int}"

    def patient(self, patient_id: str) -> str:
        """What a patient id becomes."""
        return f"HN-{base64.b32encode(self.digest('patient', patient_id)[:10]).decode()}"

    def days(self, patient_id: str) -> int:
        """How many days the dates of a patient move back: one to eleven years."""
        return _LEADING_DAYS + int.from_bytes(self.digest("dates", patient_id)[:8], "big") % _MOST_DAYS


def key_file(path: str | PathLike[str]) -> Key:
    """The key in a file; a new one is made, for its owner's eyes only, where there is no such file.

    Raises
    ------
    BadInputError
        If the file holds no key.
    OutputError
        If it cannot be made.
    """
    place = Path(path)
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(place)
    except OSError as error:
        raise OutputError(
            f"The key cannot be written ({error.strerror})", path=place, remedy="Name a file that can be made"
        ) from error
    key = Key()
    with os.fdopen(handle, "w") as stream:
        stream.write(f"{key.secret.hex()}\n")
    return key


def _read_key(path: Path) -> Key:
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise BadInputError(
            "The file holds no key of this program",
            path=path,
            remedy="Name the file that an earlier export made, or one that does not exist yet",
        )
    return Key(secret)


@dataclass(frozen=True)
class Deidentification:
    """How an export is de-identified.

    Attributes
    ----------
    profile, key
        See there.
    images
        Write the slices of the series too: to others, structures are of no use without them.
    """

    profile: Profile = field(default_factory=Profile)
    key: Key = field(default_factory=Key)
    images: bool = False
