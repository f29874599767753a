"""Fourier neural operators beside the same ones in PyTorch (eager) and JAX (jit), and BOON beside its operator without conditions and the published
code, where a checkout of that is named. One thread pinned to one core (Linux), batch 1, f32.

    python benches/peers/fno.py [--framework torch|jax] [--published PATH] [--case NAME ..] [--json PATH]

All have the same weights and must agree. They run in turns, so that a machine whose speed changes changes it for all; ratios are medians over
turns. Without --framework, all that can be imported; --published needs PyTorch. cargo builds the library and the command, unless PCML_LIBRARY and
PCML_COMMAND name them; the library is called through its Python binding.
"""

import argparse
import importlib.util
import itertools
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import turns

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
    "boon_1d_500": ((500,), 64, 16, (0,)),
    "boon_2d_500x25": ((500, 25), 32, 12, (0, 9)),
    "boon_3d_50x50x25": ((50, 50, 25), 20, 8, (0, 0, 6)),
}


def random_case(points, width, modes):
    """A field [1, *points, 1], the coordinates, and weights that all read."""
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
    """Where the kept frequencies lie: low or high on all axes but the last, low on the last; the first axis changes fastest, as in the
    published code's weights1, weights2, .."""
    sides = itertools.product((slice(modes), slice(-modes, None)), repeat=axes - 1)
    return [(..., *reversed(side), slice(modes)) for side in sides]


def planned(kind, state, points, settings, prefix=""):
    """A plan of the model that the state dict converts to."""
    import pcml

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        pcml.convert(kind, state, path, prefix=prefix, **settings)
        return pcml.Plan(pcml.Model.load(path), np.float32, shape=points)


def pcml_fno(points, width, modes, padding):
    field, _, weights = random_case(points, width, modes)
    state = {}
    for ours, theirs in (("lift", "fc0"), ("hidden", "fc1"), ("out", "fc2")):
        state[f"{theirs}.weight"], state[f"{theirs}.bias"] = weights[ours]
    for i, (spectra, weight, bias) in enumerate(weights["layers"]):
        state |= {f"conv{i}.weights{c}": corner for c, corner in enumerate(spectra, start=1)}
        state |= {f"w{i}.weight": weight[(..., *(None,) * len(points))], f"w{i}.bias": bias}
    plan = planned("fno", state, points, {"padding": padding})
    output = np.empty_like(field)
    return lambda: plan.predict(field, out=output)


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


def published_boon(points, width, modes, padding):
    """The published model with Dirichlet values, as its notebooks build and call it; the same model here, and its operator without conditions."""
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
    theirs = {name: {"val": face[None, None]} for name, face in faces.items()}

    @torch.no_grad()
    def run():
        return model(field[None, ..., None], **theirs)

    state = model.state_dict()
    boon = planned("boon", state, points, {"bc": "dirichlet"})
    # The published FNO1d throws its last layer's result away, and so does what it converts to; the corrected operator has all four.
    kind = "fno" if axes == 1 else "boon"
    fno = planned(kind, state, points, {"padding": padding}, prefix="base_no.")
    input = field[None, ..., None].numpy()
    values = [face[None, ..., None].numpy() for face in faces.values()]
    output, free = np.empty_like(input), np.empty_like(input)
    return {
        "pcml": lambda: boon.predict(input, values, out=output),
        "pcml, its FNO": lambda: fno.predict(input, out=free),
        "published": run,
    }


def agree(case, runs, points):
    """The outputs of all are one."""
    outputs = {who: np.asarray(run()) for who, run in runs.items() if who != "pcml, its FNO"}
    first = outputs["pcml"]
    for who, output in outputs.items():
        assert output.shape == (1, *points, 1) and np.isfinite(output).all(), f"{case}, {who}: {output.shape}"
        error = np.abs(output - first).max() / np.abs(first).max()
        assert error < 1e-4, f"{case}: {who} differs by {error:.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=("torch", "jax"))
    parser.add_argument("--published", metavar="PATH", help="a checkout of the published BOON code")
    parser.add_argument("--case", nargs="+", choices=(*FNO, *BOON))
    turns.add_options(parser)
    arguments = parser.parse_args()
    asked = [arguments.framework] if arguments.framework else ["torch", "jax"]
    frameworks = [name for name in asked if importlib.util.find_spec(name)]
    for name in asked:
        if name not in frameworks:
            print(f"{name} cannot be imported: left out")
    if arguments.published and "torch" not in frameworks:
        parser.error("--published needs PyTorch")
    wanted = lambda cases: [item for item in cases.items() if not arguments.case or item[0] in arguments.case]

    turns.use_pcml()
    # Before either framework is imported.
    turns.pin()
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

    table = turns.Table(arguments)
    for case, sizes in wanted(FNO):
        makers = {"pcml": pcml_fno, "torch": torch_fno, "jax": jax_fno}
        runs = {who: make(*sizes) for who, make in makers.items() if who == "pcml" or who in frameworks}
        agree(case, runs, sizes[0])
        table.add(case, runs)
    if arguments.published:
        sys.path.insert(0, arguments.published)
        for case, sizes in wanted(BOON):
            runs = published_boon(*sizes)
            agree(case, runs, sizes[0])
            table.add(case, runs)
    table.close()


if __name__ == "__main__":
    main()
