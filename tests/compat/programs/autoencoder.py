"""A variational autoencoder on made-up images."""

import argparse

import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F


class VAE(nn.Module):
    def __init__(self, pixels, latent):
        super().__init__()
        self.encode1 = nn.Linear(pixels, 40)
        self.mean = nn.Linear(40, latent)
        self.log_variance = nn.Linear(40, latent)
        self.decode1 = nn.Linear(latent, 40)
        self.decode2 = nn.Linear(40, pixels)

    def encode(self, x):
        h = F.relu(self.encode1(x))
        return self.mean(h), self.log_variance(h)

    def decode(self, z):
        return torch.sigmoid(self.decode2(F.relu(self.decode1(z))))

    def forward(self, x):
        mean, log_variance = self.encode(x.view(x.size(0), -1))
        deviation = torch.exp(0.5 * log_variance)
        z = mean + torch.randn_like(deviation) * deviation
        return self.decode(z), mean, log_variance


def loss_function(images, decoded, mean, log_variance):
    likeness = F.binary_cross_entropy(decoded, images.view(decoded.shape), reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return likeness + divergence


def main():
    parser = argparse.ArgumentParser(description="VAE")
    parser.add_argument("--batch-size", type=int, default=50, metavar="N")
    parser.add_argument("--epochs", type=int, default=4, metavar="N")
    args = parser.parse_args()
    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = torch.arange(8.0).view(8, 1)
    images = torch.stack([(rows * a + rows.t() * b).sin() ** 2 for a, b in torch.rand(400, 2)])
    dataset = torch.utils.data.TensorDataset(images.unsqueeze(1))
    train_set, test_set = torch.utils.data.random_split(dataset, [300, 100])
    train_loader = torch.utils.data.DataLoader(
        train_set, batch_size=args.batch_size, shuffle=True, drop_last=True
    )
    test_loader = torch.utils.data.DataLoader(test_set, batch_size=args.batch_size)
    model = VAE(64, 6).to(device)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for (batch,) in train_loader:
            batch = batch.to(device)
            optimizer.zero_grad()
            loss = loss_function(batch, *model(batch))
            loss.backward()
            total += loss.item()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            held_out = sum(loss_function(b, *model(b)).item() for (b,) in test_loader)
            sample = model.decode(torch.randn(4, 6, device=device)).cpu()
        print(
            f"epoch {epoch}: train {total / 300:.3f} test {held_out / 100:.3f} "
            f"sample {sample.mean().item():.4f}"
        )


if __name__ == "__main__":
    main()
