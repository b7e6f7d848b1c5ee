"""Worker processes: the batches are torch's, failures are named, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import pytensor
from pytensor.utils import data as D

ROOT = Path(__file__).parents[2]


class Numbers(D.Dataset):
    """Samples of the size given, and what their worker does at one index."""

    def __init__(self, n=12, width=3, at=None, action=None):
        self.n, self.width, self.at, self.action = n, width, at, action

    def __getitem__(self, i):
        if i == self.at:
            self.action()
        return pytensor.full((self.width,), float(i)), i

    def __len__(self):
        return self.n


class Stream(D.IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = D.get_worker_info()
        return iter(range(info.id, self.n, info.num_workers))


class Draws(D.Dataset):
    def __getitem__(self, i):
        import random

        return pytensor.rand(1).item(), random.random(), float(np.random.rand())

    def __len__(self):
        return 6


def fail():
    raise ValueError("no such sample")


def fail_with_key():
    raise KeyError("no\nsuch key")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def leave():
    os._exit(7)


def hang():
    time.sleep(60)


def no_children():
    """Whether all child processes of this one have ended and been waited for."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    children = [c for t in tasks.iterdir() for c in (t / "children").read_text().split()]
    names = [Path(f"/proc/{c}/cmdline").read_bytes() for c in children]
    return not [n for n in names if b"resource_tracker" not in n and b"forkserver" not in n]


@pytest.mark.parametrize("width", [3, 20_000])  # through the pipe, and through shared memory
def test_same_batches_as_without_workers(width):
    want = [(x.tolist(), i.tolist()) for x, i in D.DataLoader(Numbers(width=width), batch_size=5)]
    loader = D.DataLoader(Numbers(width=width), batch_size=5, num_workers=2)
    assert [(x.tolist(), i.tolist()) for x, i in loader] == want
    assert no_children()


def test_draws_in_workers_are_those_of_torch():
    torch = pytest.importorskip("torch")

    class TorchDraws(torch.utils.data.Dataset):
        def __getitem__(self, i):
            import random

            return torch.rand(1).item(), random.random(), float(np.random.rand())

        def __len__(self):
            return 6

    def batches(library, data):
        library.manual_seed(9)
        loader = library.utils.data.DataLoader(data, batch_size=2, num_workers=2, shuffle=True)
        return [[x.tolist() for x in batch] for _ in range(2) for batch in loader]

    assert batches(pytensor, Draws()) == batches(torch, TorchDraws())


def test_draws_of_persistent_workers_are_those_of_torch():
    torch = pytest.importorskip("torch")

    class TorchDraws(torch.utils.data.Dataset):
        def __getitem__(self, i):
            return torch.rand(1).item()

        def __len__(self):
            return 6

    class OwnDraws(Draws):
        def __getitem__(self, i):
            return pytensor.rand(1).item()

    def batches(library, data):
        class Eager(library.utils.data.Sampler):
            def __iter__(self):
                return iter(library.randperm(6).reshape(3, 2).tolist())

            def __len__(self):
                return 3

        library.manual_seed(9)
        loader = library.utils.data.DataLoader(
            data, batch_sampler=Eager(), num_workers=2, persistent_workers=True
        )
        found = [batch.tolist() for _ in range(3) for batch in loader]
        return found, library.rand(1).item()

    assert batches(pytensor, OwnDraws()) == batches(torch, TorchDraws())


def test_forked_process_leaves_the_workers_alone():
    iterator = iter(D.DataLoader(Numbers(n=40), num_workers=2))
    next(iterator)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            iterator._workers.close()
            del iterator
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(list(iterator)) == 39
    assert no_children()


def test_stream_is_shared_out():
    got = [b.tolist() for b in D.DataLoader(Stream(7), batch_size=2, num_workers=3)]
    assert got == [[0, 3], [1, 4], [2, 5], [6]]


def test_persistent_workers_are_the_same_processes():
    class Pids(Numbers):
        def __getitem__(self, i):
            return os.getpid()

    loader = D.DataLoader(Pids(), batch_size=6, num_workers=2, persistent_workers=True)
    first, second = ({int(p) for b in loader for p in b} for _ in range(2))
    assert first == second
    assert len(first) == 2
    del loader
    assert no_children()


def test_spawned_workers(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent("""
        import pytensor
        from pytensor.utils.data import DataLoader, TensorDataset
        if __name__ == "__main__":
            data = TensorDataset(pytensor.arange(10), pytensor.ones(10, 5000))
            loader = DataLoader(data, 4, num_workers=1, multiprocessing_context="spawn")
            print([(i.tolist(), x.sum().item()) for i, x in loader])
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == (
        "[([0, 1, 2, 3], 20000.0), ([4, 5, 6, 7], 20000.0), ([8, 9], 10000.0)]\n"
    ), done.stderr


@pytest.mark.parametrize(("action", "kind"), [(fail, ValueError), (fail_with_key, KeyError)])
def test_exception_names_the_worker(action, kind):
    loader = D.DataLoader(Numbers(at=7, action=action), batch_size=2, num_workers=2)
    with pytest.raises(
        kind, match=f"Caught {kind.__name__} in DataLoader worker process 1"
    ) as info:
        list(loader)
    assert "Original Traceback (most recent call last)" in str(info.value)
    assert no_children()


def test_exception_at_the_start():
    def init(number):
        raise RuntimeError("cannot start")

    with pytest.raises(RuntimeError, match="in DataLoader worker process 0") as info:
        list(D.DataLoader(Numbers(), num_workers=1, worker_init_fn=init))
    assert "cannot start" in str(info.value)


@pytest.mark.parametrize(
    ("action", "words"), [(die, "is killed by signal"), (leave, "exit code 7")]
)
def test_death_of_a_worker_is_told(action, words):
    loader = D.DataLoader(Numbers(at=4, action=action), batch_size=2, num_workers=2)
    with pytest.raises(RuntimeError, match=rf"DataLoader worker 0 \(pid \d+\).*{words}"):
        list(loader)
    assert no_children()


def test_timeout():
    loader = D.DataLoader(Numbers(at=0, action=hang), num_workers=1, timeout=0.3)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.3 seconds"):
        list(loader)
    assert time.monotonic() - start < 20
    assert no_children()


def test_abandoned_iterator_leaves_nothing():
    iterator = iter(D.DataLoader(Numbers(n=500, width=20_000), num_workers=2))
    next(iterator)
    descriptors = len(os.listdir("/proc/self/fd"))
    del iterator
    assert no_children()
    assert len(os.listdir("/proc/self/fd")) < descriptors


def test_batch_that_cannot_be_sent():
    loader = D.DataLoader(Numbers(), num_workers=1, collate_fn=lambda samples: lambda: samples)
    with pytest.raises(Exception, match="in DataLoader worker process 0"):
        list(loader)


def test_interrupt_leaves_no_process(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent("""
        import time
        from pytensor.utils.data import DataLoader, Dataset
        class Slow(Dataset):
            def __getitem__(self, i):
                time.sleep(0.05)
                return i
            def __len__(self): return 10_000
        for batch in DataLoader(Slow(), num_workers=2):
            print("ready", flush=True)
        """)
    )
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    process.stdout.close()
    assert process.wait(20) != 0
    for _ in range(100):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a process of the group is still there")


def test_tensors_of_workers_outlive_them():
    batches = list(D.DataLoader(Numbers(width=20_000), batch_size=4, num_workers=2))
    assert [x[:, 7].tolist() for x, _ in batches] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11],
    ]  # fmt: skip
    batches[0][0].add_(1)
    assert batches[0][0][3, 0].item() == 4


def test_workers_after_threads_have_run():
    a = pytensor.rand(500, 500)
    (a @ a).sum()  # starts the pool of threads
    loader = D.DataLoader(Numbers(width=300_000), batch_size=4, num_workers=2)
    assert [x.sum().item() for x, _ in loader] == [6 * 3e5, 22 * 3e5, 38 * 3e5]
