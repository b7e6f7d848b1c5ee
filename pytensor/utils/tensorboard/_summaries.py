"""The messages of TensorBoard's plugins, encoded. Numbers are those of the fields in its .proto
files (Summary, HistogramProto, TensorProto, the plugins' own)."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from typing import Any

import pytensor
from pytensor import Tensor
from pytensor.utils.tensorboard import _wire
from pytensor.utils.tensorboard._images import as_tensor, png, to_bytes, to_hwc

SUMMARY = 5  # the field of an event
_FLOAT, _STRING = 1, 7  # element types of tensors


def _value(tag: str, content: bytes, plugin: str = "", data: bytes | None = None) -> bytes:
    """A summary of one value, as a field of an event."""
    body = _wire.chunk(1, tag) + content
    if plugin:
        plugin_data = _wire.chunk(1, plugin)
        if data is not None:
            plugin_data += _wire.chunk(2, data)
        body += _wire.chunk(9, _wire.chunk(1, plugin_data))
    return _wire.chunk(SUMMARY, _wire.chunk(1, body))


def _tensor(dtype: int, shape: tuple[int, ...], values: bytes) -> bytes:
    sizes = b"".join(_wire.chunk(2, _wire.integer(1, size)) for size in shape)
    return _wire.chunk(8, _wire.integer(1, dtype) + _wire.chunk(2, sizes) + values)


def number(value: Any) -> float:
    """A Python number of a number, tensor or array of one element."""
    if isinstance(value, (int, float)):
        return float(value)
    return float(as_tensor(value).item())


def scalar(tag: str, value: Any, new_style: bool = False) -> bytes:
    if not new_style:
        return _value(tag, _wire.single(2, number(value)))
    content = _tensor(_FLOAT, (), _wire.singles(5, [number(value)]))
    return _value(tag, content, "scalars", b"")


def text(tag: str, value: str) -> bytes:
    content = _tensor(_STRING, (1,), _wire.chunk(8, value))
    return _value(tag + "/text_summary", content, "text", b"")


def image(tag: str, picture: Any, layout: str) -> bytes:
    tensor = as_tensor(picture)
    scale = 1 if tensor.dtype == pytensor.uint8 else 255
    pixels = to_bytes(to_hwc(tensor, layout), scale)
    height, width, channels = pixels.shape
    content = (
        _wire.integer(1, height)
        + _wire.integer(2, width)
        + _wire.integer(3, channels)
        + _wire.chunk(4, png(pixels))
    )
    return _value(tag, _wire.chunk(4, content))


def audio(tag: str, sound: Any, rate: int) -> bytes:
    samples = as_tensor(sound).to(pytensor.float32).squeeze().clamp(min=-1, max=1)
    if samples.dim() != 1:
        raise ValueError("add_audio(): argument 'snd_tensor' must have one dimension")
    values = (samples * 32767).to(pytensor.int16).tolist()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(v.to_bytes(2, "little", signed=True) for v in values))
    content = (
        _wire.single(1, rate)
        + _wire.integer(2, 1)
        + _wire.integer(3, len(values))
        + _wire.chunk(4, buffer.getvalue())
        + _wire.chunk(5, "audio/wav")
    )
    return _value(tag, _wire.chunk(6, content))


def default_edges() -> list[float]:
    """Growing by a tenth from 1e-12 to 1e20, to both sides of 0."""
    positive = []
    edge = 1e-12
    while edge < 1e20:
        positive.append(edge)
        edge *= 1.1
    return [-edge for edge in reversed(positive)] + [0.0] + positive


def _edges(values: Tensor, bins: Any) -> Tensor:
    if isinstance(bins, str):
        if bins == "tensorflow":
            return pytensor.tensor(default_edges(), dtype=pytensor.float64)
        import numpy

        # numpy's rules for a number of bins by the data
        return pytensor.from_numpy(numpy.histogram_bin_edges(values.numpy(), bins=bins))
    return as_tensor(bins).to(pytensor.float64)


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None) -> bytes:
    data = as_tensor(values).to(pytensor.float64).flatten()
    if data.numel() == 0:
        raise ValueError("The input has no element.")
    edges = _edges(data, bins)
    n = edges.numel() - 1
    place = pytensor.searchsorted(edges, data, right=True) - 1
    place = pytensor.where(data == edges[-1], n - 1, place)  # the last bin holds its upper end
    inside = (place >= 0) & (place < n) & ~data.isnan()
    counts = [float(c) for c in pytensor.bincount(place[inside], minlength=n).tolist()]
    limits = edges.tolist()
    if max_bins is not None and n > max_bins:
        together = n // max_bins
        counts = [sum(counts[i : i + together]) for i in range(0, n, together)]
        limits = [*limits[:-1:together], limits[-1]]
    if not any(counts):
        raise ValueError("The histogram is empty, please file a bug report.")
    # empty bins at both ends are left out, but for one below
    first = next(i for i, c in enumerate(counts) if c)
    last = max(i for i, c in enumerate(counts) if c)
    kept = counts[first : last + 1]
    content = (
        _wire.double(1, data.min().item())
        + _wire.double(2, data.max().item())
        + _wire.double(3, data.numel())
        + _wire.double(4, data.sum().item())
        + _wire.double(5, data.dot(data).item())
        + _wire.doubles(6, limits[first : last + 2])
        + _wire.doubles(7, [counts[first - 1] if first else 0.0, *kept])
    )
    return _value(tag, _wire.chunk(5, content))


def pr_curve(tag: str, labels: Any, predictions: Any, thresholds: int, weights: Any) -> bytes:
    """True and false positives and negatives, precision and recall at each threshold."""
    n = min(thresholds, 127)  # what the plugin can draw
    predicted = as_tensor(predictions).to(pytensor.float64).flatten()
    truth = as_tensor(labels).to(pytensor.float64).flatten()
    weight = pytensor.ones_like(truth) if weights is None else as_tensor(weights).flatten()
    place = (predicted * (n - 1)).floor().to(pytensor.int64)

    def above(of: Tensor) -> Tensor:
        counts = pytensor.zeros(n, dtype=pytensor.float64).index_add_(0, place, of)
        return counts.flip(0).cumsum(0).flip(0)

    positive, negative = above(truth * weight), above((1 - truth) * weight)
    true_negative, false_negative = negative[0] - negative, positive[0] - positive
    least = 1e-7
    precision = positive / (positive + negative).clamp(min=least)
    recall = positive / (positive + false_negative).clamp(min=least)
    table = pytensor.stack([positive, negative, true_negative, false_negative, precision, recall])
    content = _tensor(_FLOAT, (6, n), _wire.singles(5, table.flatten().tolist()))
    return _value(tag, content, "pr_curves", _wire.integer(2, n))


def _json_value(value: Any) -> bytes:
    """A google.protobuf.Value."""
    if isinstance(value, bool):
        return _wire.integer(4, value)
    return _wire.chunk(3, value) if isinstance(value, str) else _wire.double(2, value)


def hparams(
    parameters: Mapping[str, Any], metrics: Mapping[str, Any], domains: Mapping[str, Any] | None
) -> list[bytes]:
    """The experiment, the start and the end of a session, of the hparams plugin."""
    infos, start = b"", b""
    for name, value in parameters.items():
        if value is None:
            continue
        if isinstance(value, (bool, str)):
            plain: Any = value
        elif isinstance(value, (int, float, Tensor)):
            plain = number(value)
        else:
            raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")
        kind = 2 if isinstance(plain, bool) else 1 if isinstance(plain, str) else 3
        info = _wire.chunk(1, name) + _wire.integer(4, kind)
        if domains and name in domains:
            allowed = b"".join(_wire.chunk(1, _json_value(v)) for v in domains[name])
            info += _wire.chunk(5, allowed)
        infos += _wire.chunk(4, info)
        start += _wire.chunk(1, _wire.chunk(1, name) + _wire.chunk(2, _json_value(plain)))
    for name in metrics:
        infos += _wire.chunk(5, _wire.chunk(1, _wire.chunk(2, name)))
    parts = {"experiment": (2, infos), "session_start_info": (3, start)}
    parts["session_end_info"] = (4, _wire.integer(1, 1))  # success
    return [
        _value(f"_hparams_/{name}", b"", "hparams", _wire.chunk(field, content))
        for name, (field, content) in parts.items()
    ]
