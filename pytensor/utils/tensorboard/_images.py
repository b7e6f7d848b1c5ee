"""Pictures for event files: any layout to height x width x channels, and PNG files."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytensor
from pytensor import Tensor


def as_tensor(value: Any) -> Tensor:
    """A tensor outside of any graph, from a tensor, an array or numbers."""
    return value.detach() if isinstance(value, Tensor) else pytensor.as_tensor(value)


def png(pixels: Tensor) -> bytes:
    """A PNG file of a picture of uint8, height x width x 1, 3 or 4 channels."""
    height, width, channels = pixels.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]
    # each row begins with the number of its filter: 0, none
    rows = pytensor.zeros(height, 1 + width * channels, dtype=pytensor.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    data = bytes(rows.flatten().tolist())

    def block(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + block(b"IHDR", head)
        + block(b"IDAT", zlib.compress(data))
        + block(b"IEND", b"")
    )


def grid(pictures: Tensor, columns: int = 8) -> Tensor:
    """Pictures, n x channels x height x width, side by side in rows, as one of 3 channels."""
    n, channels, height, width = pictures.shape
    if channels == 1:
        pictures = pictures.expand(n, 3, height, width)
    columns = min(n, columns)
    rows = -(-n // columns)
    out = pictures.new_zeros((rows * columns, pictures.shape[1], height, width))
    out[:n] = pictures
    out = out.reshape(rows, columns, -1, height, width)
    return out.permute(2, 0, 3, 1, 4).reshape(-1, rows * height, columns * width)


def to_hwc(picture: Tensor, layout: str) -> Tensor:
    """A picture of any layout (letters of N, C, H and W) as height x width x channels."""
    letters = layout.upper()
    if len(set(letters)) != len(letters) or not set(letters) <= set("NCHW"):
        raise ValueError(
            f"argument 'dataformats' must be of the letters N, C, H, W, not {layout!r}"
        )
    if picture.dim() != len(letters):
        raise ValueError(
            "size of input tensor and input format are different. "
            f"tensor shape: {tuple(picture.shape)}, input_format: {layout}"
        )

    def ordered(wanted: str) -> Tensor:
        if set(wanted) != set(letters):
            raise ValueError(f"argument 'dataformats' has no picture's letters: {layout!r}")
        return picture.permute([letters.index(letter) for letter in wanted])

    if len(letters) == 4:
        return grid(ordered("NCHW")).permute(1, 2, 0)
    if len(letters) == 2:
        return ordered("HW").unsqueeze(-1).expand(-1, -1, 3)
    picture = ordered("HWC")
    return picture.expand(-1, -1, 3) if picture.shape[2] == 1 else picture


def to_bytes(picture: Tensor, scale: float) -> Tensor:
    """Numbers of [0, 1] or of bytes (with scale 1) as uint8."""
    return (picture.to(pytensor.float32) * scale).clamp(min=0, max=255).to(pytensor.uint8)


def figure_pixels(figure: Any) -> Tensor:
    """A matplotlib figure, drawn: channels x height x width."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = pytensor.frombuffer(bytearray(canvas.buffer_rgba()), dtype=pytensor.uint8)
    width, height = canvas.get_width_height(physical=True)
    return pixels.reshape(height, width, 4)[..., :3].permute(2, 0, 1)
