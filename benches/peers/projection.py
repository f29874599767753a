"""The projection of one slice onto one quadrature row beside PyTorch, which computes it as the published code does, with n x n covariances: mean
and variance, f64. One thread pinned to one core (Linux), in turns.

    python benches/peers/projection.py [--cells N ..] [--json PATH] [--seconds S]

Both have the same mean, variance and row, and must agree. The library is called through its Python binding, which takes a few microseconds a call:
ours are projections of 50 slices at once, divided by 50. cargo builds it unless PCML_LIBRARY and PCML_COMMAND name what is built. The
projection within bounds beside Clarabel, which is a crate: `cargo bench --bench bounded`.
"""

import argparse

import numpy as np
import torch
import turns

SLICES = 50


def published(mean, variance, g, b):
    """S = g Sigma g' ; mean - Sigma g' S^-1 (g mean - b) ; Sigma (I - g' S^-1 g Sigma)."""
    n = len(mean)
    eye = torch.eye(n, dtype=mean.dtype)
    cov, row, mu = variance[:, None] * eye, g[None, :], mean[:, None]
    row_cov = row @ cov
    s = row_cov @ row.T
    new_cov = cov @ (eye - row.T @ torch.linalg.solve(s, row_cov))
    return mu - cov @ (row.T @ torch.linalg.solve(s, row @ mu - b)), new_cov


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", type=int, default=[201, 1001, 4001])
    turns.add_options(parser)
    arguments = parser.parse_args()
    turns.use_pcml()
    import pcml

    turns.pin()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    table = turns.Table(arguments)
    for n in arguments.cells:
        x = torch.linspace(0, 1, n, dtype=torch.float64)
        g = torch.zeros_like(x)
        g[:-1] += 0.5 * x.diff()
        g[1:] += 0.5 * x.diff()
        mean, variance = torch.rand_like(x), 0.01 + torch.rand_like(x)

        law = pcml.Constraints(n)
        law.add_quadrature(pcml.Rule.TRAPEZOID, x.numpy())
        projector = pcml.Projector(law, pcml.Prior.DIAGONAL)
        means, variances = (np.tile(a.numpy(), (SLICES, 1)) for a in (mean, variance))
        b, u, spread = np.full(SLICES, 0.4), np.empty_like(means), np.empty_like(means)
        ours = lambda: projector.project(means, b, variances, out=u, out_variance=spread)
        theirs = lambda: published(mean, variance, g, 0.4)
        ours()
        expected, covariance = theirs()
        assert np.allclose(u[0], expected[:, 0], atol=1e-9) and np.allclose(spread[0], covariance.diagonal(), atol=1e-9)

        seconds = turns.in_turns({"pcml": ours, "torch": theirs}, arguments.seconds, 400)
        seconds["pcml"] = [each / SLICES for each in seconds["pcml"]]
        table.add_times(f"{n} cells", seconds)
    table.close()


if __name__ == "__main__":
    main()
