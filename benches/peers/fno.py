"""Fourier neural operators in PyTorch (eager) and JAX (jit), one thread pinned to one core (Linux), batch 1, f32; and the published
BOON code where a checkout of it is named. The peers of `cargo bench --bench fno`, which is run too, on the same core.

    python benches/peers/fno.py [--framework torch|jax] [--published PATH]

Without --framework, all that can be imported; where both can, their outputs are compared. --published needs PyTorch.
"""

import argparse
import importlib.util
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

LAYERS, HIDDEN = 4, 128
# Points, width, modes on each side of 0, zeros after each axis: those of the published base models.
FNO = {
    "fno_1d_500": ((500,), 64, 16, (0,)),
    "fno_2d_64x64": ((64, 64), 32, 12, (9, 9)),
    "fno_2d_500x25": ((500, 25), 32, 12, (9, 9)),
    "fno_2d_256x256": ((256, 256), 32, 12, (9, 9)),
    "fno_3d_50x50x25": ((50, 50, 25), 20, 8, (0, 0, 6)),
}
BOON = {
    "boon_1d_500": ((500,), 64, 16),
    "boon_2d_500x25": ((500, 25), 32, 12),
    "boon_3d_50x50x25": ((50, 50, 25), 20, 8),
}


def random_case(points, width, modes):
    """A field [1, *points, 1], the coordinates, and weights that both frameworks read."""
    rng = np.random.default_rng(0)
    axes = len(points)

    def dense(out, inputs):
        weight = rng.normal(size=(out, inputs)) / np.sqrt(inputs)
        return weight.astype(np.float32), rng.normal(size=out).astype(np.float32)

    def spectral():
        shape = (2 ** (axes - 1), width, width, *(modes,) * axes)
        weight = (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2 * width)
        return list(weight.astype(np.complex64))

    weights = {
        "lift": dense(width, 1 + axes),
        "layers": [(spectral(), *dense(width, width)) for _ in range(LAYERS)],
        "hidden": dense(HIDDEN, width),
        "out": dense(1, HIDDEN),
    }
    coordinates = np.stack(np.meshgrid(*(np.linspace(0, 1, n) for n in points), indexing="ij"), axis=-1)
    field = rng.normal(size=(1, *points, 1))
    return field.astype(np.float32), coordinates[None].astype(np.float32), weights


def corners(axes, modes):
    """Where the kept frequencies lie: low or high on all axes but the last, low on the last."""
    sides = itertools.product((slice(modes), slice(-modes, None)), repeat=axes - 1)
    return [(..., *side, slice(modes)) for side in sides]


def torch_fno(points, width, modes, padding):
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    axes = len(points)
    field, coordinates, weights = random_case(points, width, modes)
    field, coordinates = torch.from_numpy(field), torch.from_numpy(coordinates)
    lift, hidden, out = ([torch.from_numpy(a) for a in weights[name]] for name in ("lift", "hidden", "out"))
    layers = [
        ([torch.from_numpy(a) for a in spectra], torch.from_numpy(weight)[(..., *(None,) * axes)], torch.from_numpy(bias))
        for spectra, weight, bias in weights["layers"]
    ]
    conv = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    kept = corners(axes, modes)
    last = tuple(range(-axes, 0))

    def spectral(x, spectra):
        spectrum = torch.fft.rfftn(x, dim=last)
        mixed = torch.zeros_like(spectrum)
        for corner, weight in zip(kept, spectra):
            mixed[corner] = torch.einsum("bi...,io...->bo...", spectrum[corner], weight)
        return torch.fft.irfftn(mixed, s=x.shape[-axes:], dim=last)

    @torch.inference_mode()
    def run():
        x = F.linear(torch.cat([field, coordinates], dim=-1), *lift).movedim(-1, 1)
        if any(padding):
            x = F.pad(x, [side for cells in reversed(padding) for side in (0, cells)])
        for i, (spectra, weight, bias) in enumerate(layers):
            x = spectral(x, spectra) + conv(x, weight, bias)
            if i < LAYERS - 1:
                x = F.gelu(x)
        x = x[(..., *(slice(n) for n in points))].movedim(1, -1)
        return F.linear(F.gelu(F.linear(x, *hidden)), *out)

    return run


def jax_fno(points, width, modes, padding):
    import jax
    import jax.numpy as jnp

    axes = len(points)
    field, coordinates, weights = jax.device_put(random_case(points, width, modes))
    kept = corners(axes, modes)
    last = tuple(range(-axes, 0))

    def dense(x, weight, bias):
        return jnp.einsum("bi...,oi->bo...", x, weight) + bias.reshape(-1, *(1,) * axes)

    def spectral(x, spectra):
        spectrum = jnp.fft.rfftn(x, axes=last)
        mixed = jnp.zeros_like(spectrum)
        for corner, weight in zip(kept, spectra):
            mixed = mixed.at[corner].set(jnp.einsum("bi...,io...->bo...", spectrum[corner], weight))
        return jnp.fft.irfftn(mixed, s=x.shape[-axes:], axes=last)

    @jax.jit
    def forward(field):  # All else is constant, its fastest form.
        x = jnp.moveaxis(jnp.concatenate([field, coordinates], axis=-1), -1, 1)
        x = jnp.pad(dense(x, *weights["lift"]), [(0, 0), (0, 0), *((0, cells) for cells in padding)])
        for i, (spectra, weight, bias) in enumerate(weights["layers"]):
            x = spectral(x, spectra) + dense(x, weight, bias)
            if i < LAYERS - 1:
                x = jax.nn.gelu(x, approximate=False)
        x = x[(..., *(slice(n) for n in points))]
        x = dense(jax.nn.gelu(dense(x, *weights["hidden"]), approximate=False), *weights["out"])
        return jnp.moveaxis(x, 1, -1)

    return lambda: forward(field).block_until_ready()


def published_boon(points, width, modes):
    """The published model with Dirichlet values, as its notebooks build and call it."""
    import torch
    from src.models.base import FNO1d, FNO2d, FNO3d
    from src.models.multi_step import BOON_FNO2d, BOON_FNO3d
    from src.models.single_step import BOON_FNO1d

    torch.set_num_threads(1)
    torch.manual_seed(0)
    axes = len(points)
    base, corrected = ((FNO1d, BOON_FNO1d), (FNO2d, BOON_FNO2d), (FNO3d, BOON_FNO3d))[axes - 1]
    model = corrected(width, base(*(modes,) * axes, width), bdy_type="dirichlet").eval()
    field = torch.rand(points)
    faces = {"bdy_left": field[0], "bdy_right": field[-1]}
    if axes == 3:
        faces |= {"bdy_top": field[:, 0], "bdy_down": field[:, -1]}
    faces = {name: {"val": face[None, None]} for name, face in faces.items()}

    @torch.no_grad()
    def run():
        return model(field[None, ..., None], **faces)

    return run


def measure(run, budget=5.0):
    """Seconds of each of 7 to 200 repetitions, as many as the budget allows."""
    for _ in range(2):
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
    seconds = []
    for _ in range(min(200, max(7, int(budget / once)))):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return seconds


def checked(run, points):
    output = np.asarray(run())
    assert output.shape == (1, *points, 1) and np.isfinite(output).all(), "a wrong shape or a number that is not finite"
    return output


def pcml():
    """Our seconds by case, or none where the bench does not run."""
    command = ["cargo", "bench", "--bench", "fno", "--", "--json"]
    try:
        done = subprocess.run(command, cwd=pathlib.Path(__file__).parents[2], capture_output=True, text=True)
    except FileNotFoundError:
        print("no cargo: the peers alone")
        return {}
    if done.returncode != 0:
        reason = next((line for line in done.stderr.splitlines() if line.startswith("error")), "no reason given")
        print(f"`{' '.join(command)}` failed ({reason}): the peers alone")
        return {}
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--framework", choices=("torch", "jax"))
    parser.add_argument("--published", metavar="PATH", help="a checkout of the published BOON code")
    arguments = parser.parse_args()
    asked = [arguments.framework] if arguments.framework else ["torch", "jax"]
    frameworks = [name for name in asked if importlib.util.find_spec(name)]
    for name in asked:
        if name not in frameworks:
            print(f"{name} cannot be imported: left out")
    if arguments.published and "torch" not in frameworks:
        parser.error("--published needs PyTorch")

    # Before either framework is imported.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

    ours = pcml()
    print(f"{'case':<18}{'peer':<8}{'median ms':>10}{'quartiles ms':>20}{'runs':>6}{'pcml ms':>10}{'peer/pcml':>11}")

    def report(case, peer, run):
        seconds = measure(run)
        median = statistics.median(seconds)
        low, _, high = (1e3 * q for q in statistics.quantiles(seconds))
        line = f"{case:<18}{peer:<8}{1e3 * median:>10.3f}{f'{low:.3f} - {high:.3f}':>20}{len(seconds):>6}"
        if case in ours:
            line += f"{1e3 * ours[case]:>10.3f}{median / ours[case]:>11.2f}"
        print(line, flush=True)

    for case, (points, *rest) in FNO.items():
        runs = {name: {"torch": torch_fno, "jax": jax_fno}[name](points, *rest) for name in frameworks}
        outputs = [checked(run, points) for run in runs.values()]
        for other in outputs[1:]:
            error = np.abs(other - outputs[0]).max() / np.abs(outputs[0]).max()
            assert error < 1e-4, f"{case}: the frameworks differ by {error:.1e}"
        for name, run in runs.items():
            report(case, name, run)
    if arguments.published:
        sys.path.insert(0, arguments.published)
        for case, (points, *rest) in BOON.items():
            run = published_boon(points, *rest)
            checked(run, points)
            report(case, "BOON", run)


if __name__ == "__main__":
    main()
