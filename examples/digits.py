"""Train a two-layer network on real handwritten digits with tensors and autograd alone.

Run it with ``python -m examples.digits`` (or ``make train``). No layers, no optimizers: the
network is two matrix products, its update two subtractions, so that every step can be read here.
"""

import argparse
import gzip
import struct
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import pytensor as pt

DATA = Path(__file__).parent / "data"
PIXELS, HIDDEN, CLASSES = 28 * 28, 100, 10


def read_idx(path: Path) -> np.ndarray:
    """Read one file of unsigned bytes in MNIST's IDX format, gzip-compressed.

    The file holds two zero bytes, a type code, the number of dimensions, each dimension as a
    big-endian 32-bit integer, and the values in row-major order.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise SystemExit(f"digits: no file {path}; --data says where to look") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise SystemExit(f"digits: {path} is not a complete gzip file: {error}") from None
    zeros, code, ndim = struct.unpack_from(">HBB", content)
    shape = struct.unpack_from(f">{ndim}I", content, 4)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * ndim)
    if zeros != 0 or code != 0x08 or values.size != np.prod(shape):
        raise SystemExit(f"digits: {path} is not an IDX file of bytes")
    return values.reshape(shape)


def load(folder: Path, split: str) -> tuple[pt.Tensor, pt.Tensor]:
    """Return images as rows of 784 floats with mean 0 and deviation 1, and labels."""
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz").reshape(-1, PIXELS)
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
    x = (pt.tensor(images).float() / 255 - 0.1307) / 0.3081
    return x, pt.tensor(labels).long()


def model(x: pt.Tensor, w1: pt.Tensor, w2: pt.Tensor) -> pt.Tensor:
    """Log-probability of each digit: matrix product, rectifier, matrix product, softmax."""
    return x.mm(w1).clamp(min=0).mm(w2).log_softmax(dim=1)


def accuracy(x: pt.Tensor, labels: pt.Tensor, w1: pt.Tensor, w2: pt.Tensor) -> float:
    """Share of images whose most probable digit is the labelled one."""
    with pt.no_grad():
        return (model(x, w1, w2).argmax(dim=1) == labels).float().mean().item()


def train(data: Path, epochs: int, lr: float, batch_size: int, seed: int) -> float:
    """Train, print the test accuracy after each epoch, and return the last one."""
    pt.manual_seed(seed)
    x_train, y_train = load(data, "train")
    x_test, y_test = load(data, "t10k")

    # The deviation keeps activations near 1 behind a rectifier (He et al. 2015).
    w1 = (pt.randn(PIXELS, HIDDEN) * (2 / PIXELS) ** 0.5).requires_grad_()
    w2 = (pt.randn(HIDDEN, CLASSES) * (2 / HIDDEN) ** 0.5).requires_grad_()

    last = 0.0
    for epoch in range(1, epochs + 1):
        with tqdm(total=len(x_train), desc=f"epoch {epoch:2}", unit="img", leave=False) as bar:
            for batch in pt.randperm(len(x_train)).split(batch_size):
                log_p = model(x_train[batch], w1, w2)
                loss = -log_p.gather(1, y_train[batch].unsqueeze(1)).mean()
                loss.backward()
                with pt.no_grad():
                    w1 -= lr * w1.grad
                    w2 -= lr * w2.grad
                    w1.grad.zero_()
                    w2.grad.zero_()
                bar.update(len(batch))
                bar.set_postfix(loss=f"{loss.item():.4f}", refresh=False)
        last = accuracy(x_test, y_test, w1, w2)
        print(f"epoch {epoch:2}  loss {loss.item():.4f}  test accuracy {last:.2%}")
    return last


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.digits",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the four IDX files")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the training images")
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate")
    parser.add_argument("--batch-size", type=int, default=32, help="images per update")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and order")
    args = parser.parse_args()
    if args.epochs < 1 or args.batch_size < 1:
        parser.error("--epochs and --batch-size must be at least 1")
    start = time.perf_counter()
    last = train(args.data, args.epochs, args.lr, args.batch_size, args.seed)
    print(f"test accuracy {last:.2%} after {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
