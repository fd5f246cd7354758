"""The client and a real worker process: jobs, cancellation, and every way in which a process can end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from Testing.unit.worker.odd_workers import DEAF, Make, Request, Wait, is_gone, last_of, python

from HNTargetSegLib import __version__
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError, ErrorCode, OutputError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.phantom.patient import PhantomPatient
from HNTargetSegLib.worker.client import PATIENCE_SECONDS, WorkerClient
from HNTargetSegLib.worker.messages import (
    ErrorEvent,
    LogEvent,
    ProgressEvent,
    ReadyEvent,
    ResultEvent,
    SegmentRequest,
    VisitRequest,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX")


def test_the_shipped_model_is_cancelled_between_tiles_and_stays_loaded(
    make_client: Make, wait_for: Wait, patient: PhantomPatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine a tile may take longer than a worker is given before it is ended.
    monkeypatch.setattr("HNTargetSegLib.worker.client.PATIENCE_SECONDS", 60.0)
    client = make_client()
    image = patient.mid.image
    job = client.segment(SegmentRequest((VisitRequest("mid", image),)))
    assert client.busy
    seen = wait_for(client, job, until=lambda event: isinstance(event, ProgressEvent) and event.done == 2)
    ready = last_of(seen, ReadyEvent)
    assert (ready.version, ready.pid) == (__version__, client.pid)
    assert last_of(seen, ProgressEvent).total > 4
    client.cancel(job)
    client.cancel(job)
    error = last_of(wait_for(client, job), ErrorEvent)
    assert error.cancelled
    assert not client.busy
    small = image.array[8:24, 30:62, 30:62].copy()
    crop = Volume(small, Geometry((32, 32, 16), image.spacing))
    job = client.segment(SegmentRequest((VisitRequest("mid", crop),)))
    seen = wait_for(client, job)
    result = last_of(seen, ResultEvent)
    assert result.visits[0].model.name == "phantom-baseline"
    assert result.visits[0].lesions.ids.geometry == crop.geometry
    assert "load" not in [event.stage for event in seen if isinstance(event, ProgressEvent)]
    assert client.pid == ready.pid


def test_only_probabilities_outlive_a_job_and_nothing_outlives_the_client(
    blob_client: WorkerClient, blob_request: Request, wait_for: Wait, own_temporary_folder: Path
) -> None:
    job = blob_client.segment(blob_request())
    wait_for(blob_client, job)
    (folder,) = own_temporary_folder.glob("hntargetseg-worker-*")
    assert not (folder / job).exists()
    job = blob_client.segment(blob_request(keep_probability=True))
    (outcome,) = last_of(wait_for(blob_client, job), ResultEvent).visits
    assert sorted(file.name for file in (folder / job).iterdir()) == ["mid-LN.npy", "mid-PT.npy"]
    assert outcome.probability(1).max() > 0.9
    pid = blob_client.pid
    blob_client.close()
    assert not list(own_temporary_folder.glob("hntargetseg-worker-*"))
    assert is_gone(pid, 1.0)
    assert (blob_client.running, blob_client.pid, blob_client.busy) == (False, None, False)
    with pytest.raises(BadInputError, match="cannot be read"):
        outcome.probability(1)


def test_errors_of_the_library_come_with_code_and_remedy(
    blob_client: WorkerClient, blob_request: Request, wait_for: Wait
) -> None:
    job = blob_client.segment(blob_request(model="blobz"))
    error = last_of(wait_for(blob_client, job), ErrorEvent)
    assert (error.job, error.code, error.message) == (job, ErrorCode.BAD_INPUT, "There is no model 'blobz'")
    assert "blobs" in error.remedy
    models = last_of(wait_for(blob_client, blob_client.models()), ResultEvent).content["models"]
    assert {model["name"] for model in models} == {"phantom-baseline", "blobs"}
    assert last_of(wait_for(blob_client, blob_client.doctor()), ResultEvent).content["version"] == __version__


def test_polling_without_a_worker_and_cancelling_nothing_are_harmless(make_client: Make) -> None:
    client = make_client()
    assert client.poll() == []
    client.cancel("job-1")
    client.close()
    assert (client.running, client.busy, client.pid) == (False, False, None)


@posix
def test_a_worker_that_does_not_stop_is_killed_with_its_child(
    make_client: Make, wait_for: Wait, own_temporary_folder: Path
) -> None:
    client = make_client(command=python(DEAF))
    first, second = client.ping(), client.ping()
    wait_for(client, first, until=lambda event: isinstance(event, ReadyEvent))
    assert client.log_file is not None
    child = int(client.log_file.read_text())
    pid = client.pid
    begin = time.monotonic()
    client.cancel(first)
    assert client.poll() == []
    seen = wait_for(client, second)
    assert PATIENCE_SECONDS <= time.monotonic() - begin < PATIENCE_SECONDS + 2
    cancelled, other = (event for event in seen if isinstance(event, ErrorEvent))
    assert (cancelled.job, cancelled.code) == (first, ErrorCode.CANCELLED)
    assert "must be loaded again" in str(cancelled)
    assert (other.job, other.code) == (second, ErrorCode.INTERNAL)
    assert is_gone(child)
    assert is_gone(pid)
    assert (client.running, client.busy) == (False, False)


@posix
def test_closing_ends_a_worker_that_does_not_quit(make_client: Make, wait_for: Wait) -> None:
    client = make_client(command=python(DEAF))
    wait_for(client, client.ping(), until=lambda event: isinstance(event, ReadyEvent))
    pid, begin = client.pid, time.monotonic()
    client.close()
    assert time.monotonic() - begin < PATIENCE_SECONDS + 2
    assert is_gone(pid)


@posix
def test_a_killed_worker_is_an_error_of_its_job_and_the_next_request_starts_anew(
    blob_client: WorkerClient, blob_request: Request, wait_for: Wait, head_with_blobs: Callable[..., Volume]
) -> None:
    large = blob_request(head_with_blobs((120, 90, 40)), predict=PredictOptions("cpu", backend="torch", step=0.2))
    job = blob_client.segment(large)
    wait_for(blob_client, job, until=lambda event: isinstance(event, ProgressEvent) and event.stage == "network")
    pid = blob_client.pid
    os.kill(pid, signal.SIGKILL)
    error = last_of(wait_for(blob_client, job), ErrorEvent)
    assert (error.job, error.code) == (job, ErrorCode.INTERNAL)
    assert "ended unexpectedly (signal SIGKILL" in error.message
    assert "memory" in error.remedy
    assert str(blob_client.log_file) in error.remedy
    assert not blob_client.busy
    seen = wait_for(blob_client, blob_client.segment(blob_request()))
    assert "started anew" in last_of(seen, LogEvent).message
    assert len(last_of(seen, ResultEvent).visits[0].lesions) == 2
    assert blob_client.pid not in (None, pid)


@posix
def test_a_worker_that_is_killed_while_idle_is_told_and_starts_anew(blob_client: WorkerClient, wait_for: Wait) -> None:
    wait_for(blob_client, blob_client.ping())
    os.kill(blob_client.pid, signal.SIGKILL)
    while blob_client.running:
        time.sleep(0.01)
    seen = wait_for(blob_client, blob_client.ping())
    assert any(isinstance(event, ErrorEvent) and event.job is None for event in seen)
    assert isinstance(seen[-1], ResultEvent)


def test_last_words_of_a_worker_that_ends_by_itself_are_told(make_client: Make, wait_for: Wait) -> None:
    code = DEAF.split("child =")[0] + (
        "print(json.dumps({'event': 'ready', 'version': VERSION, 'python': '3', 'pid': 1}), flush=True)\n"
        "for number in range(300): print('line', number, file=sys.stderr)\n"
        "sys.stdin.readline(); sys.exit('no more ü')"
    )
    client = make_client(command=python(code))
    job = client.ping()
    error = last_of(wait_for(client, job), ErrorEvent)
    assert error.job == job
    assert "exit status 1" in error.message
    assert "line 299 | no more ü" in error.message
    assert client.log_file is not None
    assert client.log_file.read_text(encoding="utf-8").startswith("line 0\n")


@posix
def test_a_worker_ends_in_mid_job_when_its_parent_dies_and_clears_the_images(
    blob_model: Path, repository: Path, own_temporary_folder: Path, tmp_path: Path
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time, numpy as np\n"
        "from HNTargetSegLib.case.volume import Geometry, Volume\n"
        "from HNTargetSegLib.models.options import PredictOptions\n"
        "from HNTargetSegLib.worker.client import WorkerClient\n"
        "from HNTargetSegLib.worker.messages import SegmentRequest, VisitRequest\n"
        "image = Volume(np.random.default_rng(1).normal(300, 40, (40, 90, 120)), Geometry((120, 90, 40), (3, 3, 4)))\n"
        "client = WorkerClient()\n"
        "options = PredictOptions('cpu', backend='torch', step=0.1)\n"
        "client.segment(SegmentRequest((VisitRequest('mid', image),), model='blobs', predict=options))\n"
        "while not any(getattr(event, 'stage', '') == 'network' for event in client.poll()): time.sleep(0.01)\n"
        "print(client.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {
        **os.environ,
        "HNTARGETSEG_MODELS": str(blob_model),
        "PYTHONPATH": str(repository / "HNTargetSeg"),
    }
    parent = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    (folder,) = own_temporary_folder.glob("hntargetseg-worker-*")
    parent.kill()
    parent.communicate()
    assert is_gone(worker, 3.0)
    assert not folder.exists()


def test_garbage_on_the_line_is_kept_in_the_log_and_harms_nothing(make_client: Make, wait_for: Wait) -> None:
    garbage = (
        'import sys; sys.stdout.buffer.write(b\'\\xff\\x00 hello\\n{}\\n[1]\\n{"event": "party"}\\n\' * 50);'
        "sys.stdout.flush(); from HNTargetSegLib.worker.__main__ import main; main(sys.argv[1:])"
    )
    client = make_client(command=python(garbage))
    assert isinstance(wait_for(client, client.ping())[-1], ResultEvent)
    assert client.log_file is not None
    assert "party" in client.log_file.read_text(encoding="utf-8")


def test_an_answer_that_cannot_be_read_ends_its_job(make_client: Make, wait_for: Wait) -> None:
    code = DEAF.split("child =")[0] + (
        "print(json.dumps({'event': 'ready', 'version': VERSION, 'python': '3', 'pid': 1}), flush=True)\n"
        "job = json.loads(sys.stdin.readline())['job']\n"
        "print(json.dumps({'event': 'result', 'job': job, 'visits': [1]}), flush=True)\n"
        "sys.stdin.readline()"
    )
    client = make_client(command=python(code))
    job = client.ping()
    error = last_of(wait_for(client, job), ErrorEvent)
    assert error.job == job
    assert "answer cannot be read" in error.message


@posix
def test_ctrl_c_in_the_terminal_does_not_reach_the_worker(blob_client: WorkerClient, wait_for: Wait) -> None:
    wait_for(blob_client, blob_client.ping())
    assert os.getpgid(blob_client.pid or 0) != os.getpgid(0)
    os.kill(blob_client.pid or 0, signal.SIGINT)
    assert isinstance(wait_for(blob_client, blob_client.ping())[-1], ResultEvent)


def test_a_full_disk_is_said_when_the_images_are_handed_over(
    make_client: Make, blob_request: Request, small_disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    disk = small_disk(60_000)
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    client = make_client()
    with pytest.raises(OutputError, match=r"the disk is full.*TMPDIR"):
        client.segment(blob_request())
    assert not client.busy
    assert not list(disk.glob("hntargetseg-worker-*/job-*"))
    client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux can take memory from a running process")
def test_a_worker_that_runs_out_of_memory_says_so_and_goes_on(
    blob_client: WorkerClient, wait_for: Wait, blob_request: Request, head_with_blobs: Callable[..., Volume]
) -> None:
    import resource

    wait_for(blob_client, blob_client.segment(blob_request()))
    status = Path(f"/proc/{blob_client.pid}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmPeak"))
    limit = peak + (300 << 20)
    resource.prlimit(blob_client.pid or 0, resource.RLIMIT_AS, (limit, limit))
    small = head_with_blobs((30, 30, 30), (3.0, 3.0, 4.0))
    array = small.array.repeat(10, 0).repeat(12, 1).repeat(12, 2)
    huge = Volume(array, Geometry((360, 360, 300), (1.5, 1.5, 1.5)))
    job = blob_client.segment(blob_request(huge))
    error = last_of(wait_for(blob_client, job), ErrorEvent)
    assert (error.job, error.code) == (job, ErrorCode.OUT_OF_MEMORY), error
    assert "smaller model" in error.remedy
    seen = wait_for(blob_client, blob_client.segment(blob_request()))
    assert isinstance(seen[-1], ResultEvent)
    assert "load" not in [event.stage for event in seen if isinstance(event, ProgressEvent)]
