"""Trains a deep ensemble on the mixing of columns and exports it.

    python train_columns.py --out runs/columns                                  # the shipped model, some minutes on a core
    python train_columns.py --out runs/smoke --members 2 --epochs 1 --columns 500
"""

import numpy as np
import torch

import columns
import ensemble

HIDDEN, BATCH = [128, 128], 128


def channels(x: np.ndarray, y: np.ndarray) -> tuple[list, list]:
    """Names, units and scalings: means and deviations of the training columns."""
    names = [f"theta_{k + 1}" for k in range(columns.LAYERS)]
    units = ["K"] * columns.LAYERS + ["m/s", "W/m2"]
    of = lambda names, values: ensemble.channels(names, units, np.float32(values.mean(0)), np.float32(values.std(0)))
    return of([*names, "wind", "heat_flux"], x), of([f"change_of_{n}" for n in names], y)


def main():
    parser = ensemble.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--columns", type=int, default=40_000)
    args = parser.parse_args()

    (raw_x, raw_y), (test_x, test_y) = columns.samples(args.columns, 10), columns.samples(2000, 11)
    inputs, outputs = channels(raw_x, raw_y)
    x, y = (ensemble.scaled(torch.from_numpy(values), of).float() for values, of in ((raw_x, inputs), (raw_y, outputs)))

    def batches(_):
        for _ in range(args.epochs):
            for chosen in torch.randperm(len(x)).split(BATCH):
                yield x[chosen], y[chosen]

    def score(predict) -> dict:
        found, variance = (part.numpy() for part in predict(torch.from_numpy(test_x)))
        error = found - test_y
        return {"rmse_K": float(np.sqrt((error**2).mean())),
                "within_two_deviations": float((np.abs(error) < 2 * np.sqrt(variance)).mean()),
                "heat_error_K_m": float(np.abs(found @ columns.THICKNESS - columns.heat_added(test_x)).mean())}

    ensemble.train(args, {"batch": BATCH, "hidden": HIDDEN}, inputs, outputs, batches, args.epochs * -(-len(x) // BATCH), score,
                   given=torch.from_numpy(test_x[:8].copy()), title="turbulent mixing of a column of air in 900 s",
                   training_data="examples/training/columns.py, random columns", recipe="examples/training/train_columns.py")


if __name__ == "__main__":
    main()
