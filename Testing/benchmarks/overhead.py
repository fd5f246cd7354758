"""Time outside the network: a resident model beside nnU-Net's command, for one case and a share of six."""

from __future__ import annotations

from statistics import median

from Testing.benchmarks.peer import NnunetCommand, Timing
from Testing.benchmarks.resident import Resident
from Testing.benchmarks.setting import Setting
from Testing.benchmarks.table import Row, below_peer


def run(setting: Setting) -> list[Row]:
    """Measure; ours and theirs take turns."""
    peer, ours = NnunetCommand(setting), Resident(setting.model, "exact")
    return [*_one(setting, peer, ours), *_six(setting, peer, ours)]


def _one(setting: Setting, peer: NnunetCommand, ours: Resident) -> list[Row]:
    images, output = setting.images(1), setting.folder / "ours"
    (image,) = sorted(images.iterdir())
    ours.everything(image, output)
    theirs, labels, everything = [], [], []
    for number in range(max(setting.repeats, setting.peer_repeats)):
        if number < setting.peer_repeats:
            theirs.append(peer.run_measured(images, setting.folder / "theirs"))
        labels.append(ours.labels_only(image, output))
        everything.append(ours.everything(image, output))
    return [
        below_peer("one case, outside the network", _outside(labels), _outside(theirs), 20),
        below_peer("  with lesions, table, manifest, picture", _outside(everything), _outside(theirs)),
        below_peer("  the network", _network(labels), _network(theirs)),
    ]


def _six(setting: Setting, peer: NnunetCommand, ours: Resident) -> list[Row]:
    images, output = setting.images(6), setting.folder / "ours"
    theirs = peer.run_measured(images, setting.folder / "theirs-six")
    labels = [ours.labels_only(image, output) for image in sorted(images.iterdir())]
    everything = [ours.everything(image, output) for image in sorted(images.iterdir())]
    share = theirs.outside / 6
    return [
        below_peer("folder of six, outside the network, a case", sum(run.outside for run in labels) / 6, share, 5),
        below_peer("  with lesions, table, manifest, picture", sum(run.outside for run in everything) / 6, share),
        below_peer("  the network, a case", sum(run.network for run in labels) / 6, theirs.network / 6),
    ]


def _outside(runs: list[Timing]) -> float:
    return median(run.outside for run in runs)


def _network(runs: list[Timing]) -> float:
    return median(run.network for run in runs)
