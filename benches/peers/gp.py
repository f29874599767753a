"""A Gaussian process beside scikit-learn: condition on 100 and 1000 points, predict 200 targets, evaluate a likelihood with its gradient, f64. One
thread pinned to one core (Linux), in turns.

    python benches/peers/gp.py [--points N ..] [--json PATH] [--seconds S]

Both have the same points and hyperparameters, and must agree. Of a likelihood we take what a fit of one search takes, divided by its evaluations. The library is
called through its Python binding; cargo builds it unless PCML_LIBRARY and PCML_COMMAND name what is built.
"""

import argparse
import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import warnings

import numpy as np
import turns
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

TARGETS = 200
NOISE = 1e-2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", nargs="+", type=int, default=[100, 1000])
    turns.add_options(parser)
    arguments = parser.parse_args()
    turns.use_pcml()
    import pcml

    turns.pin()
    random = np.random.default_rng(1)
    table = turns.Table(arguments)
    for points in arguments.points:
        x, y, t = random.uniform(size=(points, 3)), random.uniform(size=points), random.uniform(size=(TARGETS, 3))
        kernel = ConstantKernel(1.0) * Matern([0.5, 0.5, 0.5], nu=2.5)
        theirs = GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None).fit(x, y)
        model = pcml.Model.gaussian_process(
            pcml.Kernel.MATERN52, 3, length_scales=[0.5, 0.5, 0.5], signal_variance=1.0, noise_variance=NOISE
        )
        ours = pcml.Plan(model, context=points, targets=TARGETS, covariance=TARGETS).condition(x, y[:, None])
        mean, variance = ours.query(t)
        expected, deviation = theirs.predict(t, return_std=True)
        assert np.allclose(mean.ravel(), expected, atol=1e-8) and np.allclose(variance.ravel(), deviation**2, atol=1e-8)

        add = lambda case, ours, theirs: table.add(f"{points}, {case}", {"pcml": ours, "scikit-learn": theirs})
        add("condition", lambda: ours.condition(x, y[:, None]), lambda: theirs.fit(x, y))
        add("variance", lambda: ours.query(t), lambda: theirs.predict(t, return_std=True))
        add("covariance", lambda: ours.covariance(t), lambda: theirs.predict(t, return_cov=True))

        noisy = GaussianProcessRegressor(kernel + WhiteKernel(NOISE), alpha=0.0, optimizer=None).fit(x, y)
        theta, report = noisy.kernel_.theta, pcml.FitReport()
        fit = lambda: model.fit(x, y[:, None], restarts=0, report=report)
        fit()
        seconds = turns.in_turns(
            {"pcml": fit, "scikit-learn": lambda: noisy.log_marginal_likelihood(theta, eval_gradient=True)},
            arguments.seconds, 400)
        seconds["pcml"] = [each / report.evaluations for each in seconds["pcml"]]
        table.add_times(f"{points}, likelihood", seconds)
    table.close()


if __name__ == "__main__":
    # Hyperparameters at their bounds are none of ours here.
    warnings.filterwarnings("ignore", module="sklearn")
    main()
