"""Gradients of Wishart samples: torch's own cannot be differentiated."""

from __future__ import annotations

import pytensor


def test_gradients_of_samples():
    scale = pytensor.tensor([[1.0, 0.0], [0.5, 2.0]], dtype=pytensor.double, requires_grad=True)
    df = pytensor.tensor(5.0, dtype=pytensor.double, requires_grad=True)

    def draw(scale, df):
        pytensor.manual_seed(3)
        return pytensor.distributions.Wishart(df, scale_tril=scale).rsample((2,))

    def numeric(change):
        step = 1e-5
        return (draw(*change(step)).sum() - draw(*change(-step)).sum()).item() / (2 * step)

    by_scale, by_df = pytensor.autograd.grad(draw(scale, df).sum(), (scale, df))
    unit = pytensor.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=pytensor.double)
    assert abs(by_scale[1, 0].item() - numeric(lambda h: (scale + h * unit, df))) < 1e-6
    # samples of another df take other steps of the rejection: only the sign and size are sure
    assert 0 < by_df.item() < 20
