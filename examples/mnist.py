"""Train a LeNet-style convolutional network on handwritten digits.

Run it with ``python -m examples.mnist`` (or ``make train``). Without --data it takes the 5,000
real MNIST digits in examples/data: 4,000 to learn from, 1,000 held back for the test. It leaves a
checkpoint that PyTorch opens too, a picture of the training curves and one of the digits that the
network got wrong.
"""

import argparse
import time
from pathlib import Path

from tqdm import tqdm

import pytensor as pt
from examples import pictures
from pytensor import nn
from pytensor.nn import functional as F
from pytensor.optim import Adam
from pytensor.optim.lr_scheduler import OneCycleLR
from pytensor.utils.data import DataLoader, TensorDataset
from pytensor.vision.datasets.mnist import read_idx

DATA = Path(__file__).parent / "data"
MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST's training pixels in [0, 1]


class LeNet(nn.Module):
    """Two convolutions with pooling, two linear layers (after LeCun et al. 1998).

    Shape: images (N, 1, 28, 28) to logits (N, 10).
    """

    def __init__(self, dropout: float = 0.4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.conv2 = nn.Conv2d(16, 32, 5)
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(32 * 4 * 4, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: pt.Tensor) -> pt.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.dropout(x.flatten(1))
        return self.fc2(F.relu(self.fc1(x)))


def load(folder: Path, split: str) -> TensorDataset:
    """Images (N, 1, 28, 28) with mean 0 and deviation 1, and labels (N,) from two IDX files."""
    parts = []
    for kind in ("images-idx3", "labels-idx1"):
        names = [f"{split}-{kind}-ubyte{ending}" for ending in (".gz", "")]
        found = [folder / name for name in names if (folder / name).is_file()]
        if not found:
            raise SystemExit(f"mnist: no {names[0]} in {folder}; --data says where to look")
        try:
            parts.append(read_idx(found[0]))
        except (ValueError, EOFError, OSError) as error:
            raise SystemExit(f"mnist: cannot read {found[0]}: {error}") from None
    images, labels = parts
    return TensorDataset((images.unsqueeze(1) / 255 - MEAN) / DEVIATION, labels.long())


def evaluate(model: nn.Module, data: TensorDataset) -> tuple[float, pt.Tensor]:
    """Accuracy, and the logits (N, 10)."""
    model.eval()
    with pt.no_grad():
        logits = pt.cat([model(x) for x, _ in DataLoader(data, batch_size=256)])
    labels = data.tensors[1]
    return (logits.argmax(1) == labels).float().mean().item(), logits


def shifted(images: pt.Tensor) -> pt.Tensor:
    """The images (N, 1, H, W) moved by up to two pixels, all of them the same way."""
    height, width = images.shape[-2:]
    y, x = pt.randint(0, 5, (2,)).tolist()
    return F.pad(images, (2, 2, 2, 2), value=images.min().item())[
        ..., y : y + height, x : x + width
    ]


def train_epoch(
    model: nn.Module, loader: DataLoader, optimizer: Adam, scheduler: OneCycleLR, title: str
) -> list[float]:
    """One pass over the images; the loss of each batch."""
    model.train()
    losses = []
    with tqdm(total=len(loader.dataset), desc=title, unit="img", leave=False) as bar:
        for images, labels in loader:
            loss = F.cross_entropy(model(shifted(images)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            bar.update(len(labels))
            bar.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
    return losses


def train(args: argparse.Namespace) -> float:
    """Train, print the test accuracy after each epoch, write the results, return the last one."""
    pt.manual_seed(args.seed)
    train_data, test_data = load(args.data, "train"), load(args.data, "t10k")
    loader: DataLoader = DataLoader(train_data, batch_size=args.batch_size, shuffle=True)
    model = LeNet()
    optimizer = Adam(model.parameters(), lr=args.lr)
    scheduler = OneCycleLR(optimizer, max_lr=args.lr, total_steps=args.epochs * len(loader))

    losses: list[float] = []
    accuracies: list[float] = []
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        losses += train_epoch(model, loader, optimizer, scheduler, f"epoch {epoch:2}")
        rate = len(train_data) / (time.perf_counter() - start)
        accuracy, logits = evaluate(model, test_data)
        accuracies.append(accuracy)
        mean_loss = sum(losses[-len(loader) :]) / len(loader)
        print(
            f"epoch {epoch:2}  loss {mean_loss:.4f}  test accuracy {accuracy:.2%}  "
            f"{rate:,.0f} images/s"
        )

    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    pt.save(checkpoint, args.out / "mnist.pt")
    pictures.training_curves(losses, accuracies, args.out / "training.png")
    images, labels = test_data.tensors
    pictures.mispredicted(
        images * DEVIATION + MEAN, labels, logits.softmax(1), args.out / "mispredicted.png"
    )
    print(f"checkpoint and pictures are in {args.out}")
    return accuracies[-1]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.mnist",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    defaults = {"epochs": 15, "lr": 3e-3, "batch_size": 64, "seed": 0}
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        metavar="FOLDER",
        help="folder with MNIST's four IDX files, gzip-compressed or not (default: 5,000 digits)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/mnist"), help="where results go (runs/mnist)"
    )
    parser.add_argument("--epochs", type=int, help="passes over the training images (15)")
    parser.add_argument("--lr", type=float, help="highest learning rate of the cycle (0.003)")
    parser.add_argument("--batch-size", type=int, help="images per update (64)")
    parser.add_argument("--seed", type=int, help="seed of weights, order and dropout (0)")
    parser.set_defaults(**defaults)
    args = parser.parse_args()
    if args.epochs < 1 or args.batch_size < 1:
        parser.error("--epochs and --batch-size must be at least 1")
    start = time.perf_counter()
    last = train(args)
    print(f"test accuracy {last:.2%} after {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
