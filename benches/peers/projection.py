"""PyTorch, one thread: the projection as the published code computes it, with n x n covariances, mean and covariance of one
slice, f64. The peer of `cargo bench --bench projection`.

    python benches/peers/projection.py
"""

import statistics
import time

import torch


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
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for n, repeats in ((201, 30), (1001, 5), (4001, 1)):
        x = torch.linspace(0, 1, n, dtype=torch.float64)
        g = torch.zeros_like(x)
        g[:-1] += 0.5 * x.diff()
        g[1:] += 0.5 * x.diff()
        mean, variance = torch.rand_like(x), 0.01 + torch.rand_like(x)
        published(mean, variance, g, 0.4)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            published(mean, variance, g, 0.4)
            seconds.append(time.perf_counter() - start)
        print(f"{n} cells: {1e3 * statistics.median(seconds):.2f} ms")


if __name__ == "__main__":
    main()
