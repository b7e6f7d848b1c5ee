"""Fits a cubic to a sine in the ways introductions show: by hand, by autograd, with modules."""

import math

import torch


def data():
    x = torch.linspace(-math.pi, math.pi, 500)
    return x, torch.sin(x)


def by_hand(steps=200, rate=1e-6):
    x, y = data()
    torch.manual_seed(1)
    a, b, c, d = (torch.randn(()) for _ in range(4))
    for step in range(steps):
        guess = a + b * x + c * x**2 + d * x**3
        loss = (guess - y).pow(2).sum().item()
        if step % 50 == 49:
            print("by hand", step + 1, f"{loss:.4f}")
        slope = 2.0 * (guess - y)
        a -= rate * slope.sum()
        b -= rate * (slope * x).sum()
        c -= rate * (slope * x**2).sum()
        d -= rate * (slope * x**3).sum()
    print(f"y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")


class Legendre3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 1.5 * (5 * x**2 - 1)


def by_function(steps=200, rate=5e-6):
    x, y = data()
    weights = [torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3)]
    a, b, c, d = weights
    for step in range(steps):
        loss = (a + b * Legendre3.apply(c + d * x) - y).square().sum()
        loss.backward()
        with torch.no_grad():
            for w in weights:
                w -= rate * w.grad
                w.grad = None
        if step % 50 == 49:
            print("function", step + 1, round(loss.item(), 3))


def by_module(steps=200):
    x, y = data()
    powers = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    torch.manual_seed(2)
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for step in range(steps):
        loss = torch.square(model(powers) - y).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 49:
            print("module", step + 1, round(loss.item(), 3))
    print([round(v, 4) for v in model[0].weight.flatten().tolist()])


class Dynamic(torch.nn.Module):
    """Uses a layer a random number of times."""

    def __init__(self, width):
        super().__init__()
        self.first = torch.nn.Linear(1, width)
        self.middle = torch.nn.Linear(width, width)
        self.last = torch.nn.Linear(width, 1)

    def forward(self, x):
        h = torch.relu(self.first(x))
        for _ in range(int(torch.randint(0, 4, (1,)))):
            h = self.middle(h).clamp(min=0)
        return self.last(h)


def by_dynamic_module(steps=100):
    torch.manual_seed(3)
    x, y = data()
    model = Dynamic(16)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9)
    for step in range(steps):
        loss = (model(x[:, None])[:, 0] - y).abs().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 25 == 24:
            print("dynamic", step + 1, round(loss.item(), 2))


if __name__ == "__main__":
    if torch.__version__ < "1.8":
        raise SystemExit("needs a newer version")
    by_hand()
    by_function()
    by_module()
    by_dynamic_module()
