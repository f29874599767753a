"""scikit-learn, one thread: condition on 100 and 1000 points, predict 200 targets, evaluate a likelihood with its gradient. The peer of
`cargo bench --bench gp`.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benches/peers/gp.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

TARGETS = 200


def timed(name, run, repeats=20):
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(f"{name}: median {1e3 * statistics.median(seconds):.3f} ms, least {1e3 * min(seconds):.3f} ms")


def main():
    random = np.random.default_rng(1)
    for points in (100, 1000):
        x, y, t = random.uniform(size=(points, 3)), random.uniform(size=points), random.uniform(size=(TARGETS, 3))
        kernel = ConstantKernel(1.0) * Matern([0.5, 0.5, 0.5], nu=2.5)
        process = GaussianProcessRegressor(kernel, alpha=1e-2, optimizer=None)
        timed(f"{points} points, condition", lambda: process.fit(x, y))
        timed(f"{points} points, mean and variance", lambda: process.predict(t, return_std=True))
        timed(f"{points} points, mean and covariance", lambda: process.predict(t, return_cov=True))
        noisy = GaussianProcessRegressor(kernel + WhiteKernel(1e-2), alpha=0.0, optimizer=None).fit(x, y)
        theta = noisy.kernel_.theta
        timed(
            f"{points} points, likelihood and gradient",
            lambda: noisy.log_marginal_likelihood(theta, eval_gradient=True),
            5,
        )


if __name__ == "__main__":
    main()
