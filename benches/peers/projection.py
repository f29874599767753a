"""PyTorch, one thread: the projection as the published code computes it, with n x n covariances, mean and covariance of one
slice, f64; then ours on the same sizes in the same run, and within bounds against Clarabel, which is a crate.

    python benches/peers/projection.py
"""

import pathlib
import re
import statistics
import subprocess
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
    theirs = {}
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
        theirs[n] = statistics.median(seconds)
    # The first field of a line is the case; a filter that no case has leaves the lines that the bench prints of its own.
    printed = bench("projection", "201|1001|4001")
    for cells, slices, ours in re.findall(r"(\d+) cells x (\d+) slices each: (\S+) s, floor", printed):
        if (n := int(cells)) in theirs:
            ours = float(ours) / int(slices)
            ratio = theirs[n] / ours
            print(f"{n} cells: PyTorch {1e6 * theirs[n]:.0f} us, ours {1e6 * ours:.2f} us a slice, {ratio:.0f} times as fast")
    print("\n".join(line for line in bench("bounded", "none").splitlines() if "quadratic program" in line))


def bench(name, cases):
    root = pathlib.Path(__file__).parents[2]
    command = ["cargo", "bench", "--bench", name, "--", cases]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
