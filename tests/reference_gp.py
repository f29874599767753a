"""scikit-learn's Gaussian processes on small cases, as JSON for tests/reference_gp.rs: inputs, hyperparameters, and what it makes of them.

    python tests/reference_gp.py
"""

import json
import warnings

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

KERNELS = {"rbf": None, "matern12": 0.5, "matern32": 1.5, "matern52": 2.5}


def signal(name, variance, lengths):
    length = lengths if len(lengths) > 1 else lengths[0]
    shape = RBF(length) if KERNELS[name] is None else Matern(length, nu=KERNELS[name])
    return ConstantKernel(variance) * shape


def case(random, name, lengths, inputs, outputs, noise, point_noise, points=90, targets=70):
    x = random.uniform(-1, 1, (points, inputs))
    y = np.stack([np.sin(3 * x[:, 0] + c) + 0.3 * x[:, -1] ** 2 for c in range(outputs)], axis=1)
    y += 0.1 * random.standard_normal(y.shape)
    t = random.uniform(-1.2, 1.2, (targets, inputs))
    variance, own = 1.7, random.uniform(0.0, 0.02, points) if point_noise else np.zeros(points)
    process = GaussianProcessRegressor(signal(name, variance, lengths), alpha=noise + own, optimizer=None)
    process.fit(x, y)
    mean, deviation = process.predict(t, return_std=True)
    _, covariance = process.predict(t, return_cov=True)
    # [m, m, outputs] where there are several.
    covariance = covariance.reshape(targets, targets, -1).transpose(2, 0, 1)
    fitted = GaussianProcessRegressor(signal(name, variance, lengths) + WhiteKernel(noise), alpha=own, optimizer=None)
    fitted.fit(x, y)
    likelihood, gradient = fitted.log_marginal_likelihood(fitted.kernel.theta, eval_gradient=True)
    return {
        "kernel": name, "variance": variance, "lengths": lengths, "noise": noise, "outputs": outputs,
        "point_noise": own.tolist() if point_noise else None,
        "x": x.tolist(), "y": y.tolist(), "t": t.tolist(),
        "mean": mean.reshape(targets, -1).tolist(), "deviation": deviation.reshape(targets, -1).tolist(),
        "covariance": covariance.tolist(), "likelihood": likelihood, "gradient": gradient.tolist(),
    }


def fit(random, name, inputs, ard):
    x = random.uniform(-1, 1, (50, inputs))
    y = np.sin(4 * x[:, 0]) + (0.5 * x[:, 1] if inputs > 1 else 0.0) + 0.1 * random.standard_normal(50)
    lengths = [0.7] * (inputs if ard else 1)
    kernel = signal(name, 1.0, lengths) + WhiteKernel(0.1)
    process = GaussianProcessRegressor(kernel, alpha=0.0, n_restarts_optimizer=4, random_state=0).fit(x, y)
    return {
        "kernel": name, "lengths": lengths, "x": x.tolist(), "y": y.tolist(),
        "likelihood": process.log_marginal_likelihood_value_,
    }


def main():
    warnings.filterwarnings("ignore")
    random = np.random.default_rng(5)
    cases, fits = [], []
    for name in KERNELS:
        cases.append(case(random, name, [0.6], 1, 1, 0.01, False))
        cases.append(case(random, name, [0.8], 2, 2, 0.05, False))
        cases.append(case(random, name, [0.5, 2.0, 1.1], 3, 1, 0.01, True))
        for inputs, ard in ((1, False), (3, True)):
            fits.append(fit(random, name, inputs, ard))
    print(json.dumps({"cases": cases, "fits": fits}))


if __name__ == "__main__":
    main()
