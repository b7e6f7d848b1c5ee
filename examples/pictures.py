"""Pictures of a training run: curves, and the images that were taken for something else."""

from pathlib import Path

import matplotlib

import pytensor as pt

matplotlib.use("agg")  # files only, no screen
from matplotlib import pyplot as plt

COLUMNS, ROWS = 8, 4


def training_curves(losses: list[float], accuracies: list[float], path: Path) -> None:
    """The loss of each batch, and the test accuracy after each epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(losses, linewidth=0.8)
    left.set(xlabel="batch", ylabel="training loss", yscale="log")
    right.plot(range(1, len(accuracies) + 1), [100 * a for a in accuracies], marker="o")
    right.set(xlabel="epoch", ylabel="test accuracy in %")
    right.grid(alpha=0.3)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def mispredicted(
    images: pt.Tensor, labels: pt.Tensor, probabilities: pt.Tensor, path: Path
) -> None:
    """The images whose most probable class is wrong, the most certain mistakes first.

    Args:
        images: (N, 1, H, W), values in [0, 1]
        labels: (N,), the right classes
        probabilities: (N, C)
        path: file to write
    """
    confidence, predicted = probabilities.max(1)
    wrong = (predicted != labels).nonzero().flatten()
    wrong = wrong[confidence[wrong].argsort(descending=True)][: COLUMNS * ROWS]
    figure, axes = plt.subplots(ROWS, COLUMNS, figsize=(10, 6), layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, wrong.tolist()):
        axis.imshow(images[i, 0].numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(f"{labels[i].item()} as {predicted[i].item()}", fontsize=9)
    figure.suptitle(f"{int((predicted != labels).sum().item())} of {len(labels)} mispredicted")
    figure.savefig(path, dpi=100)
    plt.close(figure)
