"""Turbulent mixing in a column of air: what an emulator of column physics learns.

    (rho c_p) dtheta/dt = d/dz (rho c_p K dtheta/dz), K(z) = wind mixing(z) f(dtheta/dz); the ground gives the heat flux H, the top nothing

theta, the potential temperature in K, lives in 24 layers whose thickness grows with height; one step of the host is 900 s, done here in ten
implicit ones whose K lags. Fluxes leave one layer and enter the next, so the heat of a column changes by H dt and by nothing else:

    sum_k dz_k (theta_k' - theta_k) = H dt / (rho c_p)

A sample is (theta_1 .. theta_24, wind, H) and the change of theta in one step of the host.

    python columns.py      # checks that the solver keeps the heat and mixes
"""

import numpy as np

LAYERS, STEP, PARTS = 24, 900.0, 10
RHO_CP = 1200.0  # J / (m3 K)
THICKNESS = 20.0 * 1.12 ** np.arange(LAYERS)  # m, from the ground up
TOP = np.cumsum(THICKNESS)
CENTRE = TOP - 0.5 * THICKNESS
APART = CENTRE[1:] - CENTRE[:-1]
MIXING = 0.4 * TOP[:-1] * np.exp(-TOP[:-1] / 250.0)  # m, times a wind in m/s: m2/s
STABLE = 0.005  # K/m


def diffusivity(theta, wind):
    """K between neighbouring layers, m2/s: [samples, LAYERS - 1]."""
    slope = (theta[:, 1:] - theta[:, :-1]) / APART / STABLE
    shape = np.where(slope > 0.0, 1.0 / (1.0 + slope) ** 2, 1.0 + 4.0 * np.minimum(-slope, 4.0))
    return 0.1 + wind[:, None] * MIXING / 10.0 * shape


def step(theta, wind, flux):
    """theta after one step of the host."""
    theta, dt = theta.copy(), STEP / PARTS
    for _ in range(PARTS):
        exchange = diffusivity(theta, wind) / APART * dt  # m
        lower = np.zeros_like(theta)
        upper = np.zeros_like(theta)
        lower[:, 1:] = -exchange / THICKNESS[1:]
        upper[:, :-1] = -exchange / THICKNESS[:-1]
        diagonal = 1.0 - lower - upper
        right = theta
        right[:, 0] += flux / RHO_CP * dt / THICKNESS[0]
        for k in range(1, LAYERS):
            factor = lower[:, k] / diagonal[:, k - 1]
            diagonal[:, k] -= factor * upper[:, k - 1]
            right[:, k] -= factor * right[:, k - 1]
        right[:, -1] /= diagonal[:, -1]
        for k in range(LAYERS - 2, -1, -1):
            right[:, k] = (right[:, k] - upper[:, k] * right[:, k + 1]) / diagonal[:, k]
        theta = right
    return theta


def samples(count, seed):
    """Inputs [count, LAYERS + 2] and changes of theta [count, LAYERS]."""
    rng = np.random.default_rng(seed)
    depth = rng.uniform(50.0, 900.0, (count, 1))
    jump, lapse = rng.uniform(0.0, 6.0, (count, 1)), rng.uniform(0.001, 0.008, (count, 1))
    near = rng.uniform(-3.0, 4.0, (count, 1)) * np.exp(-CENTRE / rng.uniform(20.0, 150.0, (count, 1)))
    above = np.maximum(CENTRE - depth, 0.0)
    theta = 290.0 + rng.uniform(-5.0, 5.0, (count, 1)) + near + jump * (1.0 - np.exp(-above / 60.0)) + lapse * above
    theta += 0.05 * rng.normal(size=(count, LAYERS))
    wind, flux = rng.uniform(0.5, 15.0, count), rng.uniform(-80.0, 350.0, count)
    return np.column_stack([theta, wind, flux]), step(theta, wind, flux) - theta


def heat_added(inputs):
    """What the change of theta, weighted with the layers' thickness, has to sum to: K m."""
    return inputs[:, -1] * STEP / RHO_CP


def main():
    x, change = samples(1000, 1)
    error = np.abs(change @ THICKNESS - heat_added(x)).max()
    assert error < 1e-9, error
    # Without a flux the step brings layers closer and the extremes no further.
    theta, wind = x[:, :LAYERS], x[:, LAYERS]
    mixed = step(theta, wind, np.zeros(1000))
    assert (mixed.max(1) <= theta.max(1) + 1e-12).all() and (mixed.min(1) >= theta.min(1) - 1e-12).all()
    print(f"heat kept to {error:.1e} K m; change of theta {np.abs(change).mean():.3f} K a step")


if __name__ == "__main__":
    main()
