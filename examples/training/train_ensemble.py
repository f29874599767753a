"""Trains a deep ensemble on one of the conservation problems and exports it.

    python train_ensemble.py --out runs/stefan_ensemble                         # some minutes on a core
    python train_ensemble.py --problem pme --out runs/pme_ensemble
    python train_ensemble.py --out runs/smoke --members 2 --steps 20

A perceptron a point: what the attentive neural process sees of a function, in the order of its context, to mean and variance at one target. A row
of inputs is the 10 times and the 10 places of the context, its 100 values time by time, then t and x of the target.
"""

import torch
from torch import Tensor

import ensemble
from problems import PROBLEMS

HIDDEN, SIDE = [96, 96, 96], 10


def rows(context_x: Tensor, context_y: Tensor, target_x: Tensor) -> Tensor:
    """[functions, targets, inputs] of contexts [functions, SIDE^2, ..], tensor grids, and targets [functions, targets, 2]."""
    times, places = context_x[:, ::SIDE, 0], context_x[:, :SIDE, 1]
    seen = torch.cat([times, places, context_y.squeeze(-1)], -1)
    return torch.cat([seen[:, None].expand(-1, target_x.shape[1], -1), target_x], -1)


def main():
    parser = ensemble.parser(__doc__)
    parser.add_argument("--problem", choices=PROBLEMS, default="stefan")
    parser.add_argument("--steps", type=int, default=4000, help="batches of each member, of new functions")
    parser.add_argument("--batch", type=int, default=16, help="functions, 100 targets each")
    args = parser.parse_args()

    problem = PROBLEMS[args.problem]
    low, high = problem.x_range
    names = [*(f"t_{i}" for i in range(SIDE)), *(f"x_{i}" for i in range(SIDE)), *(f"u_{i}" for i in range(SIDE**2)), "t", "x"]
    # Times, places and values of about [0, 1], to [-1, 1].
    spans = {"t": (0.0, problem.t_max), "x": (low, high), "u": (0.0, 1.0)}
    halves = [0.5 * (spans[n[0]][1] - spans[n[0]][0]) for n in names]
    inputs = ensemble.channels(names, ["1"] * len(names), [spans[n[0]][0] + h for n, h in zip(names, halves)], halves)
    outputs = ensemble.channels(["u"], ["1"], [0.0], [1.0])

    def batches(number: int):
        generator = torch.Generator().manual_seed(args.seed + number)
        for _ in range(args.steps):
            _, cx, cy, tx, ty = problem.batch(args.batch, generator)
            x = ensemble.scaled(rows(cx, cy, tx), inputs).float()
            yield x.flatten(0, 1), ensemble.scaled(ty, outputs).float().flatten(0, 1)

    def score(predict) -> dict:
        def at_points(cx, cy, tx):
            mean, variance = predict(rows(cx, cy, tx))
            return mean.squeeze(-1), variance.squeeze(-1).sqrt()

        return problem.scores(problem.tests(), at_points)

    cx, cy, tx, *_ = problem.tests()[problem.test_values[0]]
    first, last = problem.train_range
    ensemble.train(args, {"hidden": HIDDEN}, inputs, outputs, batches, args.steps, score, given=rows(cx, cy, tx)[::10, ::40].flatten(0, 1),
                   title=f"{problem.name}, {problem.parameter} in [{first}, {last}]",
                   training_data="analytic solution at random points, new functions in every batch",
                   recipe="examples/training/train_ensemble.py")


if __name__ == "__main__":
    main()
