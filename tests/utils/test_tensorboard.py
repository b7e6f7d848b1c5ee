"""Event files: read back by the tensorboard package, and beside those of torch."""

from __future__ import annotations

import glob
import io
import os
import wave

import pytest

import pytensor
from pytensor.utils.tensorboard import SummaryWriter
from pytensor.utils.tensorboard._records import crc32c, masked_crc

pytest.importorskip("tensorboard")
loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
np = pytest.importorskip("numpy")


def events(directory):
    """All events below a directory, by the files' paths relative to it."""
    found = {}
    for path in sorted(glob.glob(f"{directory}/**/events.out.*", recursive=True)):
        place = os.path.relpath(os.path.dirname(path), directory)
        found.setdefault(place, []).extend(loader.LegacyEventFileLoader(path).Load())
    return found


def values(directory, place="."):
    return [v for e in events(directory)[place] for v in e.summary.value]


def test_checksums():
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
    assert crc32c(b"") == 0
    assert masked_crc(b"") == (0xA282EAD8).to_bytes(4, "little")


def fill(writer, library):
    """The same calls for both libraries."""
    library.manual_seed(3)
    t = library.tensor
    writer.add_scalar("loss", 0.25, 1, walltime=1.5)
    writer.add_scalar("loss", t(0.125), 2, walltime=2.5)
    writer.add_scalar("far", -1e30, 2**40, walltime=2.5)
    writer.add_scalar("new", 3.5, -1, walltime=2.5, new_style=True)
    writer.add_scalars("both/curves", {"a": 1.0, "b": t(2.0)}, 3, walltime=3.0)
    normal = library.randn(1000)
    writer.add_histogram("normal", normal, 4, walltime=4.0)
    writer.add_histogram("auto", normal, 4, bins="auto", walltime=4.0)
    writer.add_histogram("edges", normal, 4, bins=[-1.0, 0.0, 2.0, 5.0], walltime=4.0)
    writer.add_histogram("joined", normal, 4, walltime=4.0, max_bins=100)
    writer.add_histogram("zeros", library.zeros(5), 4, walltime=4.0)
    writer.add_histogram("ints", library.arange(10), 4, walltime=4.0)
    writer.add_text("note", "# Grüße", 5, walltime=5.0)
    labels = (library.rand(50) > 0.5).to(library.int64)
    writer.add_pr_curve("pr", labels, library.rand(50), 6, num_thresholds=10, walltime=6.0)
    writer.close()


def test_same_as_torch(tmp_path):
    torch = pytest.importorskip("torch")
    from torch.utils.tensorboard import SummaryWriter as Other

    fill(SummaryWriter(tmp_path / "ours"), pytensor)
    fill(Other(str(tmp_path / "theirs")), torch)
    ours, theirs = events(tmp_path / "ours"), events(tmp_path / "theirs")
    assert ours.keys() == theirs.keys()
    for place in theirs:
        assert len(ours[place]) == len(theirs[place])
        for mine, other in zip(ours[place], theirs[place]):
            assert mine.step == other.step
            assert mine.file_version == other.file_version
            if not other.summary.value:
                continue
            assert mine.wall_time == other.wall_time
            (a,), (b,) = mine.summary.value, other.summary.value
            assert a.tag == b.tag
            assert a.simple_value == b.simple_value
            assert a.metadata.plugin_data.plugin_name == b.metadata.plugin_data.plugin_name
            assert a.tensor.dtype == b.tensor.dtype
            assert a.tensor.tensor_shape == b.tensor.tensor_shape
            assert a.tensor.string_val == b.tensor.string_val
            np.testing.assert_allclose(a.tensor.float_val, b.tensor.float_val, rtol=1e-6)
            for field in ("min", "max", "num", "sum", "sum_squares", "bucket", "bucket_limit"):
                np.testing.assert_allclose(
                    getattr(a.histo, field), getattr(b.histo, field), rtol=1e-9, err_msg=a.tag
                )


PICTURES = [
    ("CHW", (3, 4, 5)),
    ("CHW", (1, 4, 5)),
    ("CHW", (4, 4, 5)),
    ("HWC", (4, 5, 3)),
    ("HW", (4, 5)),
    ("WH", (5, 4)),
    ("NCHW", (10, 3, 4, 5)),
    ("NHWC", (3, 4, 5, 1)),
]


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_pictures(tmp_path, dtype):
    image = pytest.importorskip("PIL.Image")
    utils = pytest.importorskip("torch.utils.tensorboard._utils")
    pytensor.manual_seed(1)
    pictures = []
    with SummaryWriter(tmp_path) as writer:
        for layout, shape in PICTURES:
            picture = pytensor.rand(shape) * 1.2 - 0.1
            if dtype == "uint8":
                picture = pytensor.randint(0, 256, shape, dtype=pytensor.uint8)
            pictures.append(picture.numpy())
            writer.add_image(f"{layout}{len(shape)}", picture, 3, dataformats=layout)
    for value, picture, (layout, _) in zip(values(tmp_path), pictures, PICTURES):
        scale = 1 if dtype == "uint8" else 255
        want = utils.convert_to_HWC(picture, layout).astype(np.float32) * np.float32(scale)
        want = want.clip(0, 255).astype(np.uint8)
        got = np.asarray(image.open(io.BytesIO(value.image.encoded_image_string)))
        assert (value.image.height, value.image.width, value.image.colorspace) == want.shape
        np.testing.assert_array_equal(got, want)


def test_lists_of_pictures(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_images("list", [pytensor.zeros(3, 2, 2), pytensor.ones(3, 2, 2)])
        writer.add_images("batch", pytensor.zeros(9, 1, 2, 2))
        with pytest.raises(ValueError, match="are different"):
            writer.add_image("bad", pytensor.zeros(2, 2))
        with pytest.raises(ValueError, match="dataformats"):
            writer.add_image("bad", pytensor.zeros(2, 2), dataformats="XY")
    first, second = values(tmp_path)
    assert (first.image.height, first.image.width) == (2, 4)
    assert (second.image.height, second.image.width) == (4, 16)


def test_figures(tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    figure = pyplot.figure(figsize=(1, 0.5), dpi=50)
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("one", figure, 1)
        assert not pyplot.fignum_exists(figure.number)
        writer.add_figure("two", [figure, figure], 1, close=False)
    one, two = values(tmp_path)
    assert (one.image.height, one.image.width, one.image.colorspace) == (25, 50, 3)
    assert two.image.width == 100


def test_sound(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_audio("beep", pytensor.tensor([0.0, 1.0, -1.0, 2.0]), 1, sample_rate=8000)
        with pytest.raises(ValueError, match="one dimension"):
            writer.add_audio("bad", pytensor.zeros(2, 2))
    (value,) = values(tmp_path)
    assert (value.audio.sample_rate, value.audio.length_frames) == (8000, 4)
    with wave.open(io.BytesIO(value.audio.encoded_audio_string)) as file:
        frames = np.frombuffer(file.readframes(4), "<i2")
    assert frames.tolist() == [0, 32767, -32767, 32767]


def test_graph(tmp_path, capsys):
    graph_pb2 = pytest.importorskip("tensorboard.compat.proto.graph_pb2")
    nn = pytensor.nn
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(model, pytensor.ones(4, 3))
        writer.add_graph(model, pytensor.ones(4, 3), verbose=True)
    assert "AddmmBackward0" in capsys.readouterr().out
    (definition, _) = [e.graph_def for e in events(tmp_path)["."] if e.graph_def]
    graph = graph_pb2.GraphDef.FromString(definition)
    nodes = {node.name: node for node in graph.node}
    assert {"0/weight", "0/bias", "2/weight", "2/bias", "input/0", "output"} <= nodes.keys()
    for node in graph.node:  # all inputs are nodes
        assert set(node.input) <= nodes.keys()
    shape = nodes["0/weight"].attr["_output_shapes"].list.shape[0]
    assert [dim.size for dim in shape.dim] == [2, 3]
    assert sorted(n.op for n in graph.node if n.op not in ("Parameter", "IO Node"))[0] == "Addmm"


def test_hyperparameters(tmp_path):
    plugin = pytest.importorskip("tensorboard.plugins.hparams.plugin_data_pb2")
    given = {"rate": 0.1, "layers": pytensor.tensor(3), "name": "adam", "bias": True, "none": None}
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(given, {"loss": 0.5}, {"rate": [0.1, 0.2]}, run_name="first")
        with pytest.raises(TypeError, match="should be dictionary"):
            writer.add_hparams([], {})
        with pytest.raises(ValueError, match="value should be one of"):
            writer.add_hparams({"x": object()}, {})
    found = {v.tag: v for v in values(tmp_path, "first")}
    assert found["loss"].simple_value == 0.5
    data = {
        tag.split("/")[1]: plugin.HParamsPluginData.FromString(v.metadata.plugin_data.content)
        for tag, v in found.items()
        if tag.startswith("_hparams_")
    }
    infos = {info.name: info for info in data["experiment"].experiment.hparam_infos}
    assert {name: info.type for name, info in infos.items()} == {
        "rate": 3,
        "layers": 3,
        "name": 1,
        "bias": 2,
    }
    assert [v.number_value for v in infos["rate"].domain_discrete.values] == [0.1, 0.2]
    assert data["experiment"].experiment.metric_infos[0].name.tag == "loss"
    start = data["session_start_info"].session_start_info.hparams
    assert start["rate"].number_value == 0.1
    assert start["layers"].number_value == 3
    assert start["name"].string_value == "adam"
    assert start["bias"].bool_value is True
    assert data["session_end_info"].session_end_info.status == 1


def test_embedding(tmp_path):
    config_pb2 = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2")
    text_format = pytest.importorskip("google.protobuf.text_format")
    with SummaryWriter(tmp_path) as writer:
        pictures = pytensor.rand(3, 1, 4, 4)
        writer.add_embedding(pytensor.eye(3), ["a", "b", "c"], pictures, 7, "my/words")
        writer.add_embedding(pytensor.eye(2), [["a", 1], ["b", 2]], metadata_header=["x", "y"])
        with pytest.raises(AssertionError, match="#labels"):
            writer.add_embedding(pytensor.eye(2), ["a"])
    config = text_format.Parse(
        (tmp_path / "projector_config.pbtxt").read_text(), config_pb2.ProjectorConfig()
    )
    first, second = config.embeddings
    assert first.tensor_name == "my/words:00007"
    assert list(first.sprite.single_image_dim) == [4, 4]
    assert (tmp_path / first.sprite.image_path).read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / first.metadata_path).read_text() == "a\nb\nc\n"
    assert (tmp_path / first.tensor_path).read_text().splitlines()[1] == "0.0\t1.0\t0.0"
    assert (tmp_path / second.metadata_path).read_text() == "x\ty\na\t1\nb\t2\n"


def test_default_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="_mine", filename_suffix=".run") as writer:
        assert writer.get_logdir().startswith("runs")
        assert writer.log_dir.endswith("_mine")
    (path,) = glob.glob(f"{writer.log_dir}/*")
    assert path.endswith(".run")


def test_flush_and_reopening(tmp_path):
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    writer.flush()
    assert [v.tag for v in values(tmp_path)] == ["a"]
    writer.close()
    writer.close()
    writer.add_scalar("b", 2.0, 1)
    writer.close()
    assert [v.tag for v in values(tmp_path)] == ["a", "b"]
    quick = SummaryWriter(tmp_path / "quick", flush_secs=-1)
    quick.add_scalar("c", 1.0)
    assert [v.tag for v in values(tmp_path / "quick")] == ["c"]
    quick.close()


def test_purged_steps(tmp_path):
    SummaryWriter(tmp_path, purge_step=5).close()
    start = events(tmp_path)["."][1]
    assert (start.session_log.status, start.step) == (1, 5)


def test_refused(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(ValueError, match="no element"):
            writer.add_histogram("empty", pytensor.zeros(0))
        with pytest.raises(RuntimeError, match="does not depend"):
            writer.add_graph(lambda x: pytensor.ones(2), pytensor.ones(2))
    assert values(tmp_path) == []
