"""The training of the network, epoch by epoch."""

import pandas as pd
from matplotlib.figure import Figure

from fgunet.report.style import (
    MUTED,
    WIDTH_IN,
    house_style,
    light_grid,
    method_colour,
    new_figure,
)


def training_history(history: pd.DataFrame) -> Figure:
    """Loss, validation kappa and learning rate by epoch.

    Parameters
    ----------
    history : pandas.DataFrame
        epoch, loss, learning_rate, and, where there are, validation_loss and validation_kappa.
    """
    with house_style():
        figure = new_figure(WIDTH_IN, 2.9)
        loss, kappa, rate = figure.subplots(1, 3)
        epochs = history["epoch"]
        loss.plot(epochs, history["loss"], color=method_colour(0), lw=1.8, label="training")
        if "validation_loss" in history:
            values = history["validation_loss"]
            loss.plot(epochs, values, "--", color=method_colour(1), lw=1.6, label="validation")
        loss.legend(loc="upper right")
        loss.set_title("Loss")
        if "validation_kappa" in history and history["validation_kappa"].notna().any():
            values = history["validation_kappa"]
            kappa.plot(epochs, values, color=method_colour(0), lw=1.8)
            best = values.idxmax()
            kappa.plot(epochs[best], values[best], "o", color=method_colour(0), ms=6)
            kappa.annotate(
                f"{values[best]:.3f}\nepoch {epochs[best]}",
                (epochs[best], values[best]),
                xytext=(0, -10),
                textcoords="offset points",
                ha="right",
                va="top",
                color=MUTED,
                size=8,
            )
        kappa.set_title("Kappa, validation split")
        rate.step(epochs, history["learning_rate"], where="mid", color=method_colour(0), lw=1.8)
        rate.set_yscale("log")
        levels = sorted({history["learning_rate"].min(), history["learning_rate"].max()})
        rate.set_yticks(levels, [f"{level:g}" for level in levels])
        rate.minorticks_off()
        rate.set_title("Learning rate")
        for axes in (loss, kappa, rate):
            light_grid(axes, "y")
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
    return figure
