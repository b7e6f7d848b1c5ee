"""Trains a classifier with mixed precision, stops, and resumes from the checkpoint it saved."""

import argparse
import os
import random
import tempfile

import numpy as np
import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    cudnn.deterministic = True
    cudnn.benchmark = False


class Classifier(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(features, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, classes)
        )
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.apply(self.init)

    @staticmethod
    def init(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        self.calls += 1
        return self.body(x)


def batches(device):
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(256, 10, generator=generator)
    y = (x[:, 0] + x[:, 1] ** 2 > 0.5).long() + (x[:, 2] > 1).long()
    order = torch.randperm(256, generator=generator)
    for part in order.split(64):
        yield x[part].to(device, non_blocking=True), y[part].to(device)


def loss_of(scores, y):
    picked = scores.log_softmax(-1).gather(1, y[:, None])
    return -picked.mean()


def train(args, device, path, until):
    model = Classifier(10, 3).to(device)
    if args.compile:
        model = torch.compile(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.05)
    schedule = SequentialLR(
        optimizer,
        [LinearLR(optimizer, 0.1, total_iters=2), CosineAnnealingLR(optimizer, 8)],
        milestones=[2],
    )
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=5)
    start = 0
    if os.path.exists(path):
        checkpoint = torch.load(path, map_location=device)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        schedule.load_state_dict(checkpoint["schedule"])
        scaler.load_state_dict(checkpoint["scaler"])
        torch.set_rng_state(checkpoint["random"])
        start = checkpoint["epoch"]
        print("resumed at epoch", start)
    for epoch in range(start, until):
        model.train()
        total = 0.0
        for x, y in batches(device):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device_type=device.type, enabled=args.amp):
                loss = loss_of(model(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            total += loss.item()
        schedule.step()
        rate = optimizer.param_groups[0]["lr"]
        print(
            f"epoch {epoch} loss {total / 4:.4f} norm {norm:.3f} lr {rate:.5f} "
            f"scale {scaler.get_scale():.0f} calls {model.calls.item()}"
        )
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "scaler": scaler.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": until,
        },
        path,
    )
    return model


@torch.no_grad()
def accuracy(model, device):
    model.eval()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in batches(device))
    return right / 256


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=3e-2)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    if torch.cuda.is_available():
        device = torch.device("cuda")
    elif torch.backends.mps.is_available():
        device = torch.device("mps")
    else:
        device = torch.device("cpu")
    print("device", device)
    seed_everything(7)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "last.pt")
        train(args, device, path, args.epochs // 2)
        model = train(args, device, path, args.epochs)
    print(f"accuracy {accuracy(model, device):.3f}")


if __name__ == "__main__":
    main()
