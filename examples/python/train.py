"""Trains with the law that is deployed: a perceptron for columns whose water is kept, with and without the projection in the loop.

    python train.py

A column of 16 cells mixes: what it has above a threshold diffuses. The network sees a column and predicts the next one. Trained plainly and
projected afterwards, it pays for the law where it was not told to; trained through the projection (pcml.torch), the loss is that of the
prediction that the host will get; alone, that network is none. Both are then converted to model files, and the library's own prediction, made lawful in one more call,
is what PyTorch computed. Prints the errors, promises no order of them, and exits with 1 unless every deployed column keeps its water.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import pcml
from pcml.torch import Projection

CELLS, COLUMNS, EPOCHS = 16, 512, 150
#: Masses of the cells, from thin at the ground to thick.
MASSES = np.linspace(0.5, 1.5, CELLS) / CELLS


def columns(count, seed):
    """Columns of water before and after: a bump at a random height."""
    random = np.random.default_rng(seed)
    height, width, top = random.uniform(0.2, 0.8, (count, 1)), random.uniform(0.05, 0.3, (count, 1)), random.uniform(0.2, 1, (count, 1))
    before = top * np.exp(-(((np.linspace(0, 1, CELLS) - height) / width) ** 2))
    after = before.copy()
    for _ in range(20):
        flux = 0.004 * np.maximum(after[:, 1:], after[:, :-1]) * np.diff(after)
        after[:, :-1] += flux / MASSES[:-1]
        after[:, 1:] -= flux / MASSES[1:]
    return before, after


def law():
    """Each column keeps its water, and no cell has less than none."""
    constraints = pcml.Constraints(CELLS)
    constraints.add_row(MASSES)
    return pcml.Projector(constraints)


def train(projection):
    """A network whose outputs go through the law while it learns, where there is one."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(CELLS, 48), torch.nn.Tanh(), torch.nn.Linear(48, CELLS)).double()
    before, after = map(torch.from_numpy, columns(COLUMNS, 1))
    water = (before * torch.from_numpy(MASSES)).sum(1)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(EPOCHS):
        for k in range(0, COLUMNS, 128):
            part = slice(k, k + 128)
            predicted = network(before[part])
            if projection is not None:
                predicted = projection(predicted, water[part])
            loss = (predicted - after[part]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network


def main():
    torch.set_num_threads(1)
    projector = law()
    projection = Projection(projector, lower=0.0)
    before, after = columns(200, 2)
    water = before @ MASSES
    kept = True
    print("trained      error alone  error lawful  water lost alone  lawful")
    for name, layer in ("plainly", None), ("by the law", projection):
        network = train(layer)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "columns.safetensors"
            pcml.convert("sequential", network, path)
            plan = pcml.Plan(pcml.Model.load(path), batch=len(before))
        alone = plan.predict(before)
        lawful = projector.project_bounded(alone, water, lower=np.zeros(CELLS))
        lost = [np.abs(projector.residual(u, water)).max() for u in (alone, lawful)]
        errors = [np.sqrt(np.mean((u - after) ** 2)) for u in (alone, lawful)]
        print(f"{name:12s} {errors[0]:11.2e} {errors[1]:13.2e} {lost[0]:17.1e} {lost[1]:7.1e}")
        with torch.no_grad():
            trained = projection(network(torch.from_numpy(before)), torch.from_numpy(water)).numpy()
        kept = kept and lost[1] < 1e-15 and lawful.min() >= 0 and np.abs(trained - lawful).max() < 1e-12
    if kept:
        print("every deployed column keeps its water")
    return not kept


if __name__ == "__main__":
    sys.exit(main())
