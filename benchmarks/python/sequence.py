"""Recurrent layers, attention and the training step of a small GPT."""

from __future__ import annotations

from typing import Any

from benchmarks.python.harness import Case, Names, main


def layer(name: str, features: int, hidden: int, steps: int, batch: int) -> list[Case]:
    """A recurrent layer: forward without gradients, and forward and backward."""

    def setup(T: Any) -> Names:
        module = getattr(T.nn, name)(features, hidden)
        x = T.randn(steps, batch, features)

        def infer() -> None:
            with T.no_grad():
                module(x)

        def train() -> None:
            module(x)[0].sum().backward()

        return {"infer": infer, "train": train}

    shape = f"{steps}x{batch} {features}->{hidden}"
    return [
        Case(f"{name} forward", shape, "infer()", setup, 1.0, "recurrent"),
        Case(f"{name} training", shape, "train()", setup, 1.2, "recurrent"),
    ]


def cell(name: str, features: int, hidden: int, batch: int) -> Case:
    def setup(T: Any) -> Names:
        module = getattr(T.nn, name)(features, hidden)
        x = T.randn(batch, features)

        def step() -> None:
            with T.no_grad():
                module(x)

        return {"step": step}

    return Case(name, f"{batch} {features}->{hidden}", "step()", setup, 1.2, "cell")


def attention(batch: int, heads: int, length: int, size: int, causal: bool) -> list[Case]:
    """Heads within rows, as a projection leaves them."""

    def setup(T: Any) -> Names:
        def made() -> Any:
            return T.randn(batch, length, heads, size).transpose(1, 2).requires_grad_()

        q, k, v = made(), made(), made()
        grad = T.randn(batch, length, heads, size).transpose(1, 2)
        function = T.nn.functional.scaled_dot_product_attention

        def infer() -> None:
            with T.no_grad():
                function(q, k, v, is_causal=causal)

        def train() -> None:
            function(q, k, v, is_causal=causal).backward(grad)

        return {"infer": infer, "train": train}

    shape = f"{batch}x{heads}x{length}x{size}" + (" causal" if causal else "")
    return [
        Case("attention forward", shape, "infer()", setup, 1.0, "attention"),
        Case("attention training", shape, "train()", setup, 1.0, "attention"),
    ]


def gpt(T: Any, layers: int, size: int, heads: int, vocabulary: int, length: int) -> Any:
    """Blocks that normalize first: attention, then two linear layers with GELU between."""
    nn, F = T.nn, T.nn.functional

    class Block(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
            self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
            self.network = nn.Sequential(
                nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size)
            )

        def forward(self, x: Any) -> Any:
            batch, length, _ = x.shape
            q, k, v = (
                t.view(batch, length, heads, size // heads).transpose(1, 2)
                for t in self.qkv(self.norm1(x)).split(size, 2)
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(batch, length, size))
            return x + self.network(self.norm2(x))

    class Model(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, size)
            self.places = nn.Embedding(length, size)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, vocabulary)

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.places(T.arange(tokens.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    return Model()


def gpt_step(layers: int, size: int, heads: int, length: int, batch: int) -> Case:
    vocabulary = 65

    def setup(T: Any) -> Names:
        model = gpt(T, layers, size, heads, vocabulary, length)
        optimizer = T.optim.AdamW(model.parameters(), lr=1e-3)
        tokens = T.randint(0, vocabulary, (batch, length))
        target = T.randint(0, vocabulary, (batch * length,))

        def step() -> None:
            optimizer.zero_grad()
            logits = model(tokens).view(-1, vocabulary)
            T.nn.functional.cross_entropy(logits, target).backward()
            optimizer.step()

        return {"step": step}

    shape = f"{layers} layers of {size}, {heads} heads, {batch}x{length}"
    return Case("gpt training", shape, "step()", setup, 1.2, "gpt")


def blocks_step(size: int, heads: int, length: int, batch: int) -> Case:
    """What a block of a GPT is but for its normalizations."""

    def setup(T: Any) -> Names:
        nn, F = T.nn, T.nn.functional
        qkv, out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        network = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))
        x = T.randn(batch, length, size, requires_grad=True)

        def step() -> None:
            q, k, v = (
                t.view(batch, length, heads, size // heads).transpose(1, 2)
                for t in qkv(x).split(size, 2)
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            y = x + out(y.transpose(1, 2).reshape(batch, length, size))
            (y + network(y)).sum().backward()

        return {"step": step}

    shape = f"size {size}, {heads} heads, {batch}x{length}"
    return Case("block training", shape, "step()", setup, 1.2, "gpt")


def encoder(size: int, heads: int, length: int, batch: int) -> Case:
    def setup(T: Any) -> Names:
        module = T.nn.TransformerEncoderLayer(size, heads, 4 * size, batch_first=True)
        x = T.randn(batch, length, size)

        def step() -> None:
            module(x).sum().backward()

        return {"step": step}

    shape = f"size {size}, {heads} heads, {batch}x{length}"
    return Case("encoder layer training", shape, "step()", setup, 1.2, "gpt")


CASES = [
    *layer("LSTM", 128, 256, 64, 32),
    *layer("LSTM", 64, 128, 50, 1),
    *layer("GRU", 128, 256, 64, 32),
    *layer("GRU", 65, 100, 25, 8),
    *layer("RNN", 128, 128, 32, 64),
    cell("LSTMCell", 128, 256, 32),
    cell("GRUCell", 128, 256, 1),
    *attention(8, 8, 128, 32, True),
    *attention(4, 8, 256, 64, False),
    *attention(1, 1, 2048, 64, True),
    blocks_step(256, 8, 128, 8),
    gpt_step(4, 256, 8, 128, 8),
    encoder(256, 8, 128, 8),
]

if __name__ == "__main__":
    main("benchmarks.python.sequence", __doc__, CASES)
