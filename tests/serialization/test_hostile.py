"""Damaged and malicious files: a clear exception, nothing run, memory bounded by the file."""

from __future__ import annotations

import collections
import io
import os
import pickle
import random
import struct
import sys
import zipfile

import pytest

import pytensor
from pytensor.utils import safetensors
from tests.serialization.files import loaded, saved

ERRORS = (pickle.UnpicklingError, RuntimeError, ValueError, EOFError)
MUTATIONS = 10_000
WATCHED = {"os.system", "subprocess.Popen", "exec", "compile", "pickle.find_class", "os.remove"}

seen: list[str] = []
watching = False


def _watch(event: str, arguments) -> None:
    if watching and event in WATCHED:
        seen.append(event)


@pytest.fixture(autouse=True)
def nothing_runs():
    """Fails a test in which a load ran something, or asked Python's pickle."""
    global watching
    if not hasattr(sys, "_pytensor_test_hook"):
        sys._pytensor_test_hook = True
        sys.addaudithook(_watch)
    seen.clear()
    yield
    watching = False
    assert not seen


def load_watched(data: bytes):
    global watching
    watching = True
    try:
        return loaded(data)
    finally:
        watching = False


def archive(pickled: bytes, **records: bytes) -> bytes:
    """A file around a pickle, with the storages 0 and 1 of 16 bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("archive/data.pkl", pickled)
        target.writestr("archive/data/0", bytes(range(16)))
        target.writestr("archive/data/1", bytes(16))
        for name, data in records.items():
            target.writestr(f"archive/{name}", data)
    return file.getvalue()


def text(s: str) -> bytes:
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def integer(n: int) -> bytes:
    data = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def storage(count=4, kind=b"ctorch\nFloatStorage\n", key="0") -> bytes:
    return b"(" + text("storage") + kind + text(key) + text("cpu") + integer(count) + b"tQ"


def tensor(size=(4,), stride=(1,), offset=0, held=None) -> bytes:
    def numbers(values):
        return b"(" + b"".join(map(integer, values)) + b"t"

    held = storage() if held is None else held
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + held + integer(offset) + numbers(size) + numbers(stride) + b"\x89N"
        + b"tR"
    )  # fmt: skip


def test_the_helpers_make_valid_files():
    assert load_watched(archive(b"\x80\x02" + tensor() + b".")).shape == (4,)


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return f"c{module}\n{name}\n(".encode() + b"".join(arguments) + b"tR."


CALLS = {
    "os.system": call("os", "system", text("touch hacked")),
    "posix.system": call("posix", "system", text("touch hacked")),
    "eval": call("builtins", "eval", text("1")),
    "exec of Python 2": call("__builtin__", "execfile", text("x")),
    "getattr": call("builtins", "getattr", b"ccollections\nOrderedDict\n", text("mro")),
    "import": call("importlib", "import_module", text("os")),
    "dotted": call("torch", "serialization.os.system", text("touch hacked")),
    "own internals": call("pytensor.serialization._load", "load", text("x")),
    "torch.load": call("torch", "load", text("x")),
    "torch internals": call("torch.serialization", "os.system", text("touch hacked")),
    "numpy": call("numpy.core.multiarray", "_reconstruct", b"cnumpy\nndarray\n"),
    "numpy.load": call("numpy", "load", text("x")),
    "tensor method": b"ctorch\nTensor\n" + text("x") + b"\x85R.",
    "tensor class": b"ctorch\nTensor\n)\x81.",
    "call of a dtype": b"ctorch\nfloat32\n)R.",
    "call of a text": text("os") + b")R.",
    "other codec": call("_codecs", "encode", text("x"), text("zip")),
    "bytearray of a size": call("builtins", "bytearray", integer(1 << 60)),
    "bytes of a size": call("builtins", "bytes", integer(1 << 60)),
    "list of something": call("builtins", "list", text("x" * 10)),
    "extension": b"\x82\x01.",
    "instance": b"(ios\nsystem\n.",
    "object": b"(cos\nsystem\no.",
    "protocol 0 string": b"S'x'\n.",
    "text persistent id": b"Px\n.",
    "buffer": b"\x97.",
    "protocol 200": b"\x80\xc8N.",
    "state of a list": b"]}b.",
    "state hides a method": b"ccollections\nOrderedDict\n)R}" + text("items") + b"Nsb.",
    "state with a class": b"ccollections\nOrderedDict\n)R}" + text("__class__") + b"Nsb.",
    "append to a text": text("x") + b"Na.",
    "set item of a text": text("x") + b"NNs.",
    "unhashable key": b"}]Ns.",
    "nothing": b".",
    "two results": b"NN.",
    "mark at the end": b"(.",
    "no mark": b"Nt.",
    "pop below a mark": b"N(0t.",
    "memo": b"h\x05.",
    "cut off number": b"J\0",
    "cut off text": b"X\xff\xff\xff\xffabc.",
    "huge text": b"\x8d" + b"\xff" * 8 + b"abc.",
    "wrong utf-8": b"X\x01\0\0\0\xff.",
    "endless name": b"c" + b"a" * 5000,
    "device of a list": call("torch", "device", b"]"),
    "unknown device": call("torch", "device", text("nowhere")),
    "layout": call("torch.serialization", "_get_layout", text("torch.sparse_coo")),
    "size of texts": call("torch", "Size", b"(" + text("x") + b"t"),
    "parameter of a text": call("torch._utils", "_rebuild_parameter", text("x"), b"\x88N"),
    "type of another class": call(
        "torch._tensor", "_rebuild_from_type_v2",
        b"ctorch._utils\n_rebuild_tensor_v2\nccollections\nOrderedDict\n)}",
    ),
    "type with another maker": call(
        "torch._tensor", "_rebuild_from_type_v2",
        b"ctorch\nSize\nctorch\nTensor\n)}",
    ),
}  # fmt: skip

TENSORS = {
    "beyond the end": tensor(size=(5,)),
    "offset beyond the end": tensor(offset=1),
    "huge offset": tensor(offset=1 << 62),
    "offset beyond 64 bits": tensor(offset=1 << 70),
    "negative offset": tensor(offset=-1),
    "negative size": tensor(size=(-4,)),
    "negative stride": tensor(stride=(-1,)),
    "stride beyond the end": tensor(size=(2,), stride=(4,)),
    "overflowing stride": tensor(size=(1 << 32, 1 << 32), stride=(1 << 32, 1 << 31)),
    "overflowing numel": tensor(size=(1 << 62, 1 << 62), stride=(0, 0)),
    "missing stride": tensor(size=(2, 2)),
    "too many dims": tensor(size=(1,) * 200, stride=(1,) * 200),
    "no storage": tensor(held=b"N"),
    "untyped storage": tensor(held=storage(16, b"ctorch.storage\nUntypedStorage\n")),
    "larger storage": tensor(held=storage(5)),
    "huge storage": tensor(held=storage(1 << 61)),
    "negative storage": tensor(held=storage(-1)),
    "missing storage": tensor(held=storage(key="7")),
    "path": tensor(held=storage(key="../../../../etc/passwd")),
    "absolute path": tensor(held=storage(key="/etc/passwd")),
    "no type": tensor(held=storage(kind=b"N")),
    "other type": tensor(held=storage(kind=b"ctorch\nfloat32\n")),
    "two sizes": b"(" + tensor() + tensor(size=(2,), held=storage(2)) + b"t",
    "id of another form": b"(" + text("storage") + b"tQ",
    "id that is a list": b"]Q",
}


@pytest.mark.parametrize("pickled", CALLS.values(), ids=CALLS)
def test_pickles_that_do_more_than_hold_data(pickled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for start in (b"", b"\x80\x02"):
        with pytest.raises(ERRORS):
            load_watched(archive(start + pickled))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("pickled", TENSORS.values(), ids=TENSORS)
def test_tensors_outside_of_their_storages(pickled):
    with pytest.raises(ERRORS):
        load_watched(archive(b"\x80\x02" + pickled + b"."))


def test_forbidden_names_are_explained():
    with pytest.raises(pickle.UnpicklingError, match=r"os\.system.*weights_only=False"):
        load_watched(archive(CALLS["os.system"]))


def test_bools_are_zero_or_one():
    held = storage(4, b"ctorch\nBoolStorage\n")
    got = load_watched(archive(b"\x80\x02" + tensor(held=held) + b"."))
    assert got.view(pytensor.uint8).tolist() == [0, 1, 1, 1]


def nested(open_: bytes, close: bytes, depth: int) -> bytes:
    return b"\x80\x02" + open_ * depth + b"N" + close * depth + b"."


def test_deep_nesting():
    depth = 100_000
    for pickled in (
        nested(b"]", b"a", depth),
        nested(b"", b"\x85", depth),
        nested(b"(", b"t", depth),
    ):
        load_watched(archive(pickled))
    # As a key its hash would overflow the stack.
    with pytest.raises(pickle.UnpicklingError, match="key"):
        load_watched(archive(b"}" + b")" + b"\x85" * depth + b"Ns."))


def test_memo_bombs():
    # Each list holds the one before twice: 2**200 parts to print, 200 lists in memory.
    lists = b"]q\0" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(200))
    got = load_watched(archive(b"(" + lists + b"l."))
    assert len(got) == 201
    tuples = b")q\0" + b"2\x86" * 200  # as a key, 2**200 parts to hash
    for pickled in (b"}" + tuples + b"Ns.", b"\x8f(" + tuples + b"\x90.", b"(" + tuples + b"\x91."):
        with pytest.raises(pickle.UnpicklingError, match="too many parts"):
            load_watched(archive(pickled))
    with pytest.raises(pickle.UnpicklingError, match="too many parts"):
        load_watched(archive(call("builtins", "set", b"](" + tuples + b"e")))


def test_many_tensors_over_one_storage_take_no_memory():
    many = b"(" + tensor(size=(1 << 30, 1 << 30), stride=(0, 0)) * 100 + b"t"
    assert len(load_watched(archive(b"\x80\x02" + many + b"."))) == 100


# --- archives ---------------------------------------------------------------------------------


def test_compressed_archives():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("archive/data.pkl", b"\x80\x02" + b"N" * 10_000_000 + b".")
    assert len(file.getvalue()) < 100_000
    with pytest.raises(RuntimeError, match=r"compressed.*zip -0"):
        load_watched(file.getvalue())


def test_archives_that_lie():
    good = saved({"x": pytensor.arange(1000)})
    directory = good.rfind(b"PK\5\6")
    start = struct.unpack_from("<I", good, directory + 16)[0]

    def patched(at: int, value: int, form: str = "<I") -> bytes:
        data = bytearray(good)
        struct.pack_into(form, data, at, value)
        return bytes(data)

    for data in (
        patched(start + 20, 1 << 31),  # compressed size
        patched(start + 24, 1 << 31),  # size
        patched(start + 42, 1 << 31),  # offset
        patched(start + 42, 8),
        patched(directory + 16, 1 << 31),
        patched(directory + 12, 1 << 31),
        patched(directory + 10, 0xFFF0, "<H"),
        patched(directory + 4, 1, "<H"),
        patched(start + 24, 0xFFFFFFFF),
        patched(start + 8, 1, "<H"),  # encrypted
        good[:-10],
        good[: len(good) // 2],
        good[:100],
        b"PK\3\4" + bytes(1000),
    ):
        with pytest.raises(RuntimeError):
            load_watched(data)
    # Many entries for the same bytes.
    entry = good[start : good.index(b"PK\1\2", start + 4)]
    many = good[:start] + entry * 5000
    many += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5000, 5000, len(entry) * 5000, start, 0)
    with pytest.raises(RuntimeError, match=r"overlap|same name"):
        load_watched(many)


def test_flipped_bits_in_a_tensor_are_noticed():
    want = pytensor.arange(1000)
    data = bytearray(saved(want))
    data[data.index(want.numpy().tobytes()) + 500] ^= 4
    with pytest.raises(RuntimeError, match="checksum of record 'data/0'"):
        load_watched(bytes(data))


def test_other_files():
    for data in (b"\0", b"{}", b"hello world\n" * 100, os.urandom(1000), b"\x80\x02N."):
        with pytest.raises(ERRORS):
            load_watched(data)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(ERRORS):
        load_watched(empty.getvalue())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("word/document.xml", b"<xml/>")
    with pytest.raises(RuntimeError, match=r"no data\.pkl"):
        load_watched(file.getvalue())


# --- mutations --------------------------------------------------------------------------------


def mutated(data: bytes, random: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        if not out:
            break
        at, length = random.randrange(len(out)), random.choice((1, 1, 2, 4, 8, 30))
        kind = random.randrange(7)
        if kind <= 1:
            out[at] ^= 1 << random.randrange(8)
        elif kind == 2:
            out[at] = random.choice(b"\0\x01\x7f\x80\xff().QRb}]tucq")
        elif kind == 3:
            out[at : at + length] = random.choice((b"\0", b"\xff")) * length
        elif kind == 4:
            del out[at : at + length]
        elif kind == 5:
            source = random.randrange(len(out))
            out[at:at] = out[source : source + length]
        else:
            del out[at + 1 :]
    return bytes(out)


def use(value, limit: int) -> None:
    """Reads every tensor, and checks that storages are no larger than the file."""
    todo, known = [value], set()
    while todo:
        v = todo.pop()
        if id(v) in known:
            continue
        known.add(id(v))
        if isinstance(v, pytensor.Tensor):
            assert v.untyped_storage().nbytes() <= limit
            if v.numel() < 10_000:
                v.detach().clone()
        elif isinstance(v, dict):
            todo += [*v.keys(), *v.values()]
        elif isinstance(v, (list, tuple, set, frozenset)):
            todo += v


def subject():
    x = pytensor.arange(6.0).view(2, 3)
    model = collections.OrderedDict(weight=x, bias=x[0, 1:], mask=pytensor.tensor([True, False]))
    model._metadata = {"version": 1}
    return {
        "model": model,
        "list": [1, -2.5, None, (True, b"x")],
        "p": pytensor.nn.Parameter(x + 1),
    }


def attack(data: bytes, load, errors, count: int) -> None:
    load(data)
    generator = random.Random(0)
    failed = 0
    for _ in range(count):
        try:
            use(load(mutated(data, generator)), len(data) + 1000)
        except errors:
            failed += 1
    assert failed > count / 10


def test_mutated_archives():
    attack(saved(subject()), load_watched, ERRORS, MUTATIONS // 4)


def test_mutated_pickles():
    file = zipfile.ZipFile(io.BytesIO(saved(subject())))
    records = {n.split("/", 1)[1]: file.read(n) for n in file.namelist()}
    pickled = records.pop("data.pkl")

    def load(changed: bytes):
        from pytensor.serialization._zip_writer import ZipWriter

        out = io.BytesIO()
        writer = ZipWriter(out, "archive")
        for name, data in [("data.pkl", changed), *records.items()]:
            writer.record(name, data, pytensor._C.crc32(data))
        writer.close()
        return load_watched(out.getvalue())

    attack(pickled, load, ERRORS, MUTATIONS // 4)


def test_mutated_legacy_files():
    data = saved(subject(), _use_new_zipfile_serialization=False)
    attack(data, load_watched, ERRORS, MUTATIONS // 4)


def test_mutated_safetensors():
    x = pytensor.arange(6.0)
    data = safetensors.save({"a": x, "b": pytensor.tensor([True])}, {"k": "v"})
    attack(data, safetensors.load, ValueError, MUTATIONS // 4)
