"""What is saved comes back the same: values, strides, sharing, attributes."""

from __future__ import annotations

import collections
import copy
import io
import pathlib
import pickle
import threading

import pytest

import pytensor
from pytensor import serialization
from tests.serialization.files import loaded, roundtrip, samples, saved


def assert_equal(got, want):
    assert type(got) is type(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.stride() == want.stride()
    assert got.requires_grad == want.requires_grad
    assert got.is_leaf
    assert pytensor.equal(got, want)


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_all_kinds(zipped):
    want = samples(pytensor)
    got = loaded(saved(want, _use_new_zipfile_serialization=zipped))
    assert list(got) == list(want)
    for name in want:
        assert_equal(got[name], want[name])
        assert got[name].storage_offset() == want[name].storage_offset()
    assert got["part"].untyped_storage().data_ptr() == got["base"].untyped_storage().data_ptr()
    got["base"][1, 2] = -1.0
    assert got["part"][0, 0] == got["transposed"][2, 1] == got["steps"][1, 1] == -1.0


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_containers(protocol):
    want = {
        "numbers": [1, -1, 255, 256, 65536, 2**31, -(2**31), 2**70, -(2**2000), 1.5, float("inf")],
        "texts": ["", "ä€😀", "\ud800", "x" * 300],
        "bytes": [b"", b"\0\xff", bytearray(b"abc")],
        "plain": (None, True, False, 1j, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "sets": [set(), {1, "a"}, frozenset({(1, 2)})],
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "counter": collections.Counter("hello"),
        (1, ("a", None)): pytensor.Size([1, 2]),
        "torch": [pytensor.device("cpu"), pytensor.float16, pytensor.strided, pytensor.Tensor],
        "long": list(range(3000)),
    }
    got = loaded(saved(want, pickle_protocol=protocol))
    assert got == want
    assert [type(v) for v in got.values()] == [type(v) for v in want.values()]
    same = [1]
    a, b = roundtrip([same, same])
    assert a is b
    loop = []
    loop.append(loop)
    loop = roundtrip(loop)
    assert loop[0] is loop


def test_plain_names_are_left_alone():
    text = "cpytensor\nTensor\n cpytensor._utils\n_rebuild_tensor\n"
    assert roundtrip([text, text.encode(), pytensor.ones(1)])[:2] == [text, text.encode()]


def test_model_and_optimizer():
    def step(model, optimizer):
        optimizer.zero_grad()
        loss = model(pytensor.linspace(0, 1, 8).view(2, 4)).square().sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    def build():
        pytensor.manual_seed(0)
        model = pytensor.nn.Sequential(
            pytensor.nn.Linear(4, 3), pytensor.nn.Tanh(), pytensor.nn.Linear(3, 1)
        )
        return model, pytensor.optim.Adam(model.parameters(), lr=0.1)

    model, optimizer = build()
    step(model, optimizer)
    state = roundtrip(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    )
    want = [step(model, optimizer) for _ in range(3)]
    assert state["model"]._metadata == model.state_dict()._metadata
    other, other_optimizer = build()
    other.load_state_dict(state["model"])
    other_optimizer.load_state_dict(state["optimizer"])
    assert [step(other, other_optimizer) for _ in range(3)] == want


def test_whole_module():
    module = pytensor.nn.Sequential(pytensor.nn.Linear(2, 2), pytensor.nn.ReLU())
    data = saved(module)
    with pytest.raises(pickle.UnpicklingError, match=r"add_safe_globals\(\[Sequential\]\)"):
        loaded(data)
    got = loaded(data, weights_only=False)
    assert pytensor.equal(got[0].weight, module[0].weight)
    asked = serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(data))
    assert "torch.nn.modules.linear.Linear" in asked
    assert not any("_rebuild" in name for name in asked)
    with serialization.safe_globals([pytensor.nn.Sequential, pytensor.nn.Linear, pytensor.nn.ReLU]):
        got = loaded(data)
    assert pytensor.equal(got[0].weight, module[0].weight)


def test_attributes_and_subclasses():
    tensor = pytensor.ones(2)
    tensor.note = "kept"
    assert roundtrip(tensor).note == "kept"
    parameter = pytensor.nn.Parameter(pytensor.ones(2))
    parameter.note = [1]
    got = roundtrip(parameter)
    assert type(got) is pytensor.nn.Parameter
    assert got.note == [1]
    assert roundtrip(pytensor.nn.Buffer(pytensor.ones(1))).persistent
    special = Special._make_subclass(Special, pytensor.ones(2))
    data = saved(special)
    with pytest.raises(pickle.UnpicklingError, match=r"test_roundtrip\.Special"):
        loaded(data)
    with serialization.safe_globals([Special]):
        assert type(loaded(data)) is Special
    assert type(loaded(data, weights_only=False)) is Special


class Special(pytensor.Tensor):
    pass


def test_result_of_an_operation_becomes_a_leaf():
    got = roundtrip(pytensor.ones(2, requires_grad=True) * 2)
    assert got.requires_grad
    assert got.is_leaf


def test_storages():
    tensor = pytensor.arange(4.0)
    saved_ones = [tensor.storage(), pytensor.ones(2).untyped_storage(), tensor[1:]]
    typed, untyped, view = roundtrip(saved_ones)
    assert typed.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert untyped.nbytes() == 8
    assert view.storage().data_ptr() == typed.data_ptr()
    with pytest.raises(RuntimeError, match=r"as different types.*clone"):
        saved([tensor, tensor.view(pytensor.int32)])


def test_saved_tensors_can_still_be_resized():
    tensor = pytensor.arange(40.0)
    saved(tensor)
    assert tensor.resize_(100).shape == (100,)
    assert roundtrip(pytensor.arange(40.0)).resize_(100).shape == (100,)


def test_numpy_scalars():
    np = pytest.importorskip("numpy")
    data = saved({"x": np.float64(1.5), "y": np.arange(3)})
    with pytest.raises(pickle.UnpicklingError, match="numpy"):
        loaded(data)
    got = loaded(data, weights_only=False)
    assert got["x"] == 1.5
    assert got["y"].tolist() == [0, 1, 2]
    multiarray = np._core.multiarray if hasattr(np, "_core") else np.core.multiarray
    allowed = [
        (multiarray.scalar, "numpy._core.multiarray.scalar"),
        (multiarray.scalar, "numpy.core.multiarray.scalar"),
        np.dtype,
        type(np.dtype(np.float32)),
    ]
    with serialization.safe_globals(allowed):
        assert loaded(saved(np.float32(0.5))) == 0.5


def test_safe_globals_are_a_context():
    import fractions

    data = saved(fractions.Fraction(1, 3))
    with serialization.safe_globals([fractions.Fraction]):
        assert loaded(data) == fractions.Fraction(1, 3)
        assert serialization.get_safe_globals() == [fractions.Fraction]
    assert serialization.get_safe_globals() == []
    with pytest.raises(pickle.UnpicklingError):
        loaded(data)
    with pytest.raises(TypeError, match="classes and functions"):
        serialization.add_safe_globals([3])


def test_files_by_path(tmp_path):
    want = pytensor.randn(100)
    for path in (str(tmp_path / "a.pt"), tmp_path / "b.pt", pathlib.Path(tmp_path / "c")):
        pytensor.save(want, path)
        assert pytensor.equal(pytensor.load(path), want)
    with open(tmp_path / "d", "wb") as file:
        pytensor.save(want, file)
    with open(tmp_path / "d", "rb") as file:
        assert pytensor.equal(pytensor.load(file), want)


def test_file_objects_are_read_from_where_they_stand():
    for zipped in (True, False):
        file = io.BytesIO(b"before" + saved([1], _use_new_zipfile_serialization=zipped))
        file.seek(6)
        assert pytensor.load(file) == [1]
    first, second = (
        saved([pytensor.full((2,), n)], _use_new_zipfile_serialization=False) for n in (1, 2)
    )
    file = io.BytesIO(first + second)
    assert pytensor.load(file)[0][0] == 1
    assert pytensor.load(file)[0][0] == 2


class OnlyRead:
    """A file object with the least that is needed."""

    def __init__(self, data):
        file = io.BytesIO(data)
        self.read = lambda n=-1: file.read(min(n, 100)) if n >= 0 else file.read()
        self.seek, self.tell = file.seek, file.tell


def test_least_file_objects():
    class OnlyWrite:
        def __init__(self):
            self.parts = []

        def write(self, data):
            self.parts.append(bytes(data))

    file = OnlyWrite()
    pytensor.save({"x": pytensor.arange(100)}, file)
    assert pytensor.load(OnlyRead(b"".join(file.parts)))["x"].tolist() == list(range(100))
    with pytest.raises(AttributeError, match="'write' attribute"):
        pytensor.save(1, object())
    with pytest.raises(AttributeError, match="seekable"):
        pytensor.load(object())
    with pytest.raises(TypeError, match="binary mode"):
        pytensor.load(io.StringIO("text"))


def test_mapped(tmp_path):
    path = tmp_path / "a.pt"
    want = samples(pytensor)
    pytensor.save(want, path)
    before = path.read_bytes()
    got = pytensor.load(path, mmap=True)
    for name in want:
        assert_equal(got[name], want[name])
    got["base"].fill_(7)
    assert got["part"][0, 0] == 7
    assert path.read_bytes() == before
    pytensor.save(pytensor.zeros(10), path)  # replaces the file; the old one stays mapped
    assert pytensor.equal(got["float64"], want["float64"])
    with pytest.raises(ValueError, match="needs a path"):
        pytensor.load(io.BytesIO(before), mmap=True)
    pytensor.save(1, path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="zip format"):
        pytensor.load(path, mmap=True)


def test_map_location():
    data = saved([pytensor.ones(2), pytensor.zeros(3)])
    elsewhere = data.replace(b"X\x03\x00\x00\x00cpuq", b"X\x03\x00\x00\x00gpuq")
    cuda = _with_location("cuda:0")
    for where in ("cpu", pytensor.device("cpu"), {"cuda:0": "cpu"}, lambda s, location: s):
        assert loaded(cuda, map_location=where).tolist() == [1.0, 1.0]
    seen = []
    loaded(data, map_location=lambda storage, location: seen.append((len(storage), location)))
    assert seen == [(8, "cpu"), (12, "cpu")]
    if not pytensor.cuda.is_available():
        with pytest.raises(RuntimeError, match=r"map_location=torch\.device"):
            loaded(cuda)
        with pytest.raises(RuntimeError, match="CUDA"):
            loaded(data, map_location="cuda")
    with pytest.raises(RuntimeError, match="data location"):
        loaded(_with_location("hpu"))
    with pytest.raises(TypeError, match="map_location"):
        loaded(data, map_location=3.5)
    with pytest.raises(TypeError, match="returned int"):
        loaded(data, map_location=lambda storage, location: 3)
    assert elsewhere != data


def _with_location(location: str) -> bytes:
    """A file that says its tensor was on another device."""
    from pytensor.serialization._pickler import Pickler
    from pytensor.serialization._zip_writer import ZipWriter

    file = io.BytesIO()
    archive = ZipWriter(file, "archive")

    def record(name, data):
        archive.record(name, data, pytensor._C.crc32(data))

    pickler = Pickler(2, lambda kind, _, count, __: ("storage", kind, "0", location, count))
    record("data.pkl", pickler.result(pytensor.ones(2)))
    record("data/0", pytensor.ones(2).numpy().tobytes())
    archive.close()
    return file.getvalue()


def test_pickle_and_copy():
    for name, want in samples(pytensor).items():
        for protocol in (2, 4, 5):
            got = pickle.loads(pickle.dumps(want, protocol))
            assert pytensor.equal(got, want), name
            assert type(got) is type(want)
            assert got.requires_grad == want.requires_grad
        assert_equal(copy.deepcopy(want), want)
        assert pytensor.equal(copy.copy(want), want)
    base = pytensor.zeros(1000)
    assert len(pickle.dumps(base[:2])) < 1000
    assert pickle.loads(pickle.dumps(pytensor.zeros(2, 3).t())).stride() == (1, 3)
    storage = pickle.loads(pickle.dumps(pytensor.arange(3.0).storage()))
    assert storage.tolist() == [0.0, 1.0, 2.0]
    a, b, c = copy.deepcopy([base, base[1:], base.storage()])
    b[0] = 5
    assert a[1] == c[1] == 5
    assert base[1] == 0
    module = pytensor.nn.Linear(2, 2)
    module.weight.grad = pytensor.ones(2, 2)
    optimizer = pytensor.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    optimizer.step()
    again, other = pickle.loads(pickle.dumps((module, optimizer)))
    assert pytensor.equal(again.weight, module.weight)
    assert other.param_groups[0]["params"][0] is again.weight
    buffer = next(iter(optimizer.state.values()))["momentum_buffer"]
    assert pytensor.equal(other.state[again.weight]["momentum_buffer"], buffer)


def test_errors_of_arguments(tmp_path):
    with pytest.raises(FileNotFoundError):
        pytensor.load(tmp_path / "missing.pt")
    with pytest.raises(EOFError, match="empty file"):
        loaded(b"")
    with pytest.raises(ValueError, match="at least 2"):
        saved(1, pickle_protocol=1)
    with pytest.raises(RuntimeError, match="pickle_module"):
        loaded(saved(1), pickle_module=pickle, weights_only=True)
    assert loaded(saved(1), pickle_module=pickle, weights_only=False) == 1
    with pytest.raises((pickle.PicklingError, AttributeError)):
        saved(lambda: 0)
    with pytest.raises(TypeError):
        saved(threading.Lock())
