"""The modules that programs touch in passing, beside torch's on a machine without accelerators."""

from __future__ import annotations

import copy
import hashlib
import importlib
import json

import pytest

import pytensor
from pytensor import hub
from tests.python.torch_pair import to_torch, torch

SAME_ANSWERS = """
accelerator.current_accelerator() | accelerator.device_count() | accelerator.is_available()
backends.cudnn.allow_tf32 | backends.cudnn.benchmark | backends.cudnn.deterministic
backends.cudnn.enabled | backends.cudnn.is_available() | backends.cudnn.version()
backends.cuda.matmul.allow_tf32 | backends.cuda.is_built() | backends.cuda.flash_sdp_enabled()
backends.mps.is_available() | backends.mps.is_built()
cuda.device_count() | cuda.is_available() | cuda.is_bf16_supported() | cuda.manual_seed(1)
cuda.manual_seed_all(1) | cuda.empty_cache() | cuda.get_arch_list() | cuda.get_rng_state_all()
cuda.memory_allocated() | cuda.max_memory_allocated() | cuda.is_initialized()
cpu.is_available() | cpu.device_count() | cpu.current_device() | cpu.synchronize()
compiler.is_compiling() | xpu.is_available() | xpu.device_count()
is_autocast_enabled() | version.cuda | version.hip | version.debug
amp.is_autocast_available("cpu") | multiprocessing.get_sharing_strategy()
"""
SAME_ERRORS = """
accelerator.current_device_index() | accelerator.synchronize() | accelerator.set_device_index(0)
accelerator.memory_allocated() | cuda.current_device() | cuda.get_device_name()
cuda.synchronize() | cuda.Stream() | cuda.device(0).__enter__() | cuda.ipc_collect()
mps.synchronize() | mps.empty_cache() | xpu.synchronize() | autocast(3) | autocast("nothing")
compile(3) | compile(print, mode="x") | compile(print, mode="default", options={})
amp.GradScaler("cpu", growth_factor=1) | amp.GradScaler("cpu", backoff_factor=1)
amp.GradScaler("cpu").scale(3) | amp.GradScaler("cpu").load_state_dict({})
multiprocessing.set_sharing_strategy("x")
"""


def lines(table: str) -> list[str]:
    return [part.strip() for line in table.strip().splitlines() for part in line.split("|")]


def evaluate(library, expression: str):
    for name in ("accelerator", "backends.cudnn", "backends.mps", "multiprocessing", "mps", "xpu"):
        importlib.import_module(f"{library.__name__}.{name}")
    return eval(f"T.{expression}", {"T": library, "print": print})


# PyTorch's answers are those of a machine without devices; a build may have an emulated one.
no_device = pytest.mark.skipif(pytensor.cuda.is_available(), reason="there is a cuda device")


def parameters(table: str) -> list:
    """A parameter for each expression."""
    device = ("accelerator.", "cuda.", "backends.cuda.is_built")
    return [
        pytest.param(line, marks=[no_device] if line.startswith(device) else [])
        for line in lines(table)
    ]


@pytest.mark.parametrize("expression", parameters(SAME_ANSWERS))
def test_same_answers(expression):
    assert evaluate(pytensor, expression) == evaluate(torch, expression)


@pytest.mark.parametrize("expression", parameters(SAME_ERRORS))
def test_same_errors(expression):
    with pytest.raises(Exception) as want:
        evaluate(torch, expression)
    with pytest.raises(want.type):
        evaluate(pytensor, expression)


def test_settings_are_kept():
    from pytensor.backends import cuda, cudnn

    with cudnn.flags(benchmark=True, deterministic=True):
        assert cudnn.benchmark
        assert cudnn.deterministic
    assert not cudnn.benchmark
    with cuda.sdp_kernel(enable_flash=False):
        assert not cuda.flash_sdp_enabled()
    assert cuda.flash_sdp_enabled()


def test_one_process():
    from pytensor import distributed

    assert not distributed.is_available()
    assert not distributed.is_initialized()
    with pytest.raises(RuntimeError, match="one process"):
        distributed.init_process_group("gloo")


def test_compile_returns_what_it_was_given():
    model = pytensor.nn.Linear(1, 1)
    assert pytensor.compile(model, mode="max-autotune", fullgraph=True, dynamic=False) is model

    @pytensor.compile(backend="inductor")
    def double(x):
        return x * 2

    assert double(2) == 4
    with pytest.raises(RuntimeError, match="Invalid backend"):
        pytensor.compile(model, backend="nothing")
    assert pytensor.compiler.disable(double) is double
    assert pytensor.compiler.disable()(double) is double


def test_autocast_casts_products():
    @pytensor.autocast("cpu", dtype=pytensor.bfloat16)
    def product(a):
        return a @ a

    with pytensor.amp.autocast("cpu"):
        assert product(pytensor.ones(2, 2)).dtype == pytensor.bfloat16
    with pytest.warns(UserWarning, match="Disabling autocast"):
        pytensor.autocast("cpu", dtype=pytensor.float64)


@no_device
def test_autocast_of_an_absent_device_warns():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        pytensor.cuda.amp.autocast()


def scaled_steps(T):
    """States of a scaler over steps, some of them with gradients that are not finite."""
    weight = T.nn.Parameter(T.tensor([1.0, -2.0]))
    optimizer = T.optim.SGD([weight], lr=0.1)
    scaler = T.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2, backoff_factor=0.25)
    log = [copy.copy(scaler.state_dict())]
    for step in range(8):
        optimizer.zero_grad()
        factor = float("inf") if step in (2, 5) else 1.0
        loss, other = scaler.scale([(weight**2).sum() * factor, weight.sum()])
        (loss + other).backward()
        if step % 2:
            scaler.unscale_(optimizer)
            T.nn.utils.clip_grad_norm_([weight], 5.0)
        scaler.step(optimizer)
        scaler.update(3.0 if step == 6 else None)
        log.append(copy.copy(scaler.state_dict()))
    again = T.amp.GradScaler("cpu")
    again.load_state_dict(log[-1])
    return log, again.get_scale(), weight.detach()


def test_grad_scaler():
    log, scale, weight = scaled_steps(pytensor)
    their_log, their_scale, their_weight = scaled_steps(torch)
    assert log == their_log
    assert scale == their_scale
    torch.testing.assert_close(to_torch(weight), their_weight)


def out_of_order(T):
    """The errors of a scaler's methods in a wrong order."""
    weight = T.nn.Parameter(T.ones(2))
    optimizer = T.optim.SGD([weight], lr=0.1)
    scaler = T.amp.GradScaler("cpu")
    found = []

    def attempt(call, *args, **kwargs):
        try:
            call(*args, **kwargs)
            found.append(None)
        except Exception as error:
            found.append((type(error), str(error)))

    attempt(scaler.step, optimizer)
    attempt(scaler.update)
    attempt(scaler.unscale_, optimizer)
    scaler.scale(weight.sum()).backward()
    attempt(scaler.step, optimizer, closure=lambda: 0)
    attempt(scaler.unscale_, optimizer)
    attempt(scaler.unscale_, optimizer)
    attempt(scaler.step, optimizer)
    attempt(scaler.step, optimizer)
    attempt(scaler.unscale_, optimizer)
    attempt(scaler.update)
    half = T.nn.Parameter(T.ones(2, dtype=T.float16))
    half.grad = T.ones(2, dtype=T.float16)
    attempt(scaler.unscale_, T.optim.SGD([half], lr=0.1))
    return found


def test_grad_scaler_out_of_order():
    assert out_of_order(pytensor) == out_of_order(torch)


@no_device
def test_disabled_scaler_passes_through():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = pytensor.amp.GradScaler()
    weight = pytensor.nn.Parameter(pytensor.ones(2))
    optimizer = pytensor.optim.SGD([weight], lr=0.5)
    scaler.scale(weight.sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert weight.tolist() == [0.5, 0.5]
    assert (scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (1.0, {}, False)


# --- hub ----------------------------------------------------------------------------------------


def test_weights_from_a_url_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert hub.get_dir() == str(tmp_path / "home" / "hub")
    served = tmp_path / "served.pt"
    pytensor.save({"x": pytensor.ones(2)}, served)
    digest = hashlib.sha256(served.read_bytes()).hexdigest()
    named = tmp_path / f"net-{digest[:8]}.pt"
    named.write_bytes(served.read_bytes())
    got = hub.load_state_dict_from_url(named.as_uri(), check_hash=True, progress=False)
    assert got["x"].tolist() == [1.0, 1.0]
    named.unlink()  # the copy is used from now on
    got = hub.load_state_dict_from_url(named.as_uri(), progress=False)
    assert got["x"].tolist() == [1.0, 1.0]
    wrong = tmp_path / "net-00000000.pt"
    wrong.write_bytes(b"other")
    folder = tmp_path / "models"
    with pytest.raises(RuntimeError, match="invalid hash value"):
        hub.load_state_dict_from_url(wrong.as_uri(), str(folder), check_hash=True, progress=False)
    assert list(folder.iterdir()) == []
    with pytest.raises(RuntimeError, match="put the file to"):
        hub.load_state_dict_from_url((tmp_path / "none.pt").as_uri(), progress=False)
    with pytest.raises(ValueError, match="names no file"):
        hub.load_state_dict_from_url("https://example.org/", progress=False)
    with pytest.raises(ValueError, match="names no file"):
        hub.load_state_dict_from_url("https://example.org/a", file_name="../b", progress=False)


def test_models_from_folders(tmp_path):
    (tmp_path / "hubconf.py").write_text("def net(width=2):\n    return width * 10\n")
    assert hub.load(str(tmp_path), "net", source="local", width=3) == 30
    assert hub.list(str(tmp_path), source="local") == ["net"]
    with pytest.raises(RuntimeError, match="Cannot find callable"):
        hub.load(str(tmp_path), "other", source="local")
    with pytest.raises(RuntimeError, match="source='local'"):
        hub.load("owner/repository", "net")


# --- profiler -----------------------------------------------------------------------------------


def test_profiler_times_named_blocks(tmp_path):
    from pytensor.profiler import profile, record_function, schedule, tensorboard_trace_handler

    @record_function("decorated")
    def work():
        return pytensor.ones(3).sum()

    with profile() as recorded:
        work()
        for _ in range(2):
            with record_function("block"):
                work()
    rows = {name: (calls, seconds) for name, calls, seconds in recorded.key_averages()}
    assert rows["block"][0] == 2
    assert rows["decorated"][0] == 3
    assert all(0 < seconds < 10 for _, seconds in rows.values())
    table = recorded.key_averages().table(sort_by="cpu_time_total", row_limit=1)
    assert len(table.splitlines()) == 2
    recorded.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert sorted(e["name"] for e in events) == ["block"] * 2 + ["decorated"] * 3
    work()  # outside of the profile
    assert recorded.key_averages() == recorded.key_averages()
    plan = schedule(wait=1, warmup=1, active=2, repeat=1)
    folder = tmp_path / "traces"
    with profile(schedule=plan, on_trace_ready=tensorboard_trace_handler(str(folder))) as recorded:
        for _ in range(8):
            work()
            recorded.step()
    (trace,) = folder.iterdir()
    assert len(json.loads(trace.read_text())["traceEvents"]) == 2
    with pytensor.autograd.profiler.profile(enabled=False) as recorded:
        work()
    assert recorded.key_averages() == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 0, "active": 1, "repeat": 2},
        {"wait": 2, "warmup": 1, "active": 1, "repeat": 1, "skip_first": 2},
    ],
)
def test_schedules_are_those_of_torch(arguments):
    from pytensor import profiler

    ours, theirs = profiler.schedule(**arguments), torch.profiler.schedule(**arguments)
    assert [ours(n).name for n in range(12)] == [theirs(n).name for n in range(12)]
