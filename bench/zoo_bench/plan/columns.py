"""The columns of ``results.csv`` that the harness itself fills, and their order. Imports nothing heavy."""

from __future__ import annotations

from zoo.columns import Column

RUN = (
    Column("run_id", "", "SHA-256 of what the run is a function of, 64 hex digits", group="run"),
    Column("model", "", "Model name", group="run"),
    Column("plugin", "", "Distribution that provides the model", group="run"),
    Column("plugin_version", "", "Version of that distribution", group="run"),
    Column("task", "", "Task name", group="run"),
    Column("task_version", "", "Version of the task's data and splits", group="run"),
    Column("seed", "", "Training seed", integer=True, group="run"),
    Column("status", "", "ok, diverged, error, timeout or interrupted", group="run"),
    Column("error", "", "Why it did not end ok, or which metrics could not be computed", group="run"),
    Column("budget", "", "Canonical text of the budget", group="run"),
    Column("images", "", "Real training images charged", integer=True, group="run"),
    Column("rounds", "", "Rounds played", integer=True, group="run"),
    Column("updates", "", "Optimiser steps of all players", integer=True, group="run"),
)
SPENT = (
    Column(
        "train_seconds", "", "Training wall-clock, seconds", "training, s", "log", (0, None), group="speed", cost=True
    ),
    Column(
        "flops",
        "",
        "Operations of matrix products and convolutions in training",
        "FLOPs",
        "log",
        (0, None),
        group="size",
        cost=True,
    ),
)
CIRCUMSTANCES = (
    Column("precision_mode", "", "Arithmetic of forward and backward passes, and compilation", group="run"),
    Column("device", "", "Kind of device: cpu, cuda or mps", group="run"),
    Column("threads", "", "CPU threads given to the run", integer=True, group="run"),
    Column("contended", "", "Whether others shared the machine, so that speeds are lower bounds", group="run"),
    Column(
        "params",
        "",
        "Trainable parameters, a count",
        "params",
        "log",
        (0, None),
        integer=True,
        headline=True,
        group="size",
        cost=True,
    ),
)
CURVE = (
    Column(
        "fid_best",
        "lower",
        "FID of the checkpoint that was best on the validation split, 0 to inf",
        "FID, best",
        "log",
        (0, None),
        group="curve",
    ),
    Column(
        "fid_auc",
        "lower",
        "Mean validation FID over the logarithm of the budget from 1/32 on, 0 to inf",
        "FID, area",
        "log",
        (0, None),
        group="curve",
    ),
    Column(
        "images_to_target",
        "lower",
        "Images until validation FID is 5 times that of two Gaussian samples; empty if never",
        "images to target",
        "log",
        (0, None),
        group="curve",
    ),
    Column(
        "seconds_to_target",
        "lower",
        "Training seconds until then; empty if never",
        "seconds to target",
        "log",
        (0, None),
        group="speed",
    ),
)
SPEED = (
    Column(
        "train_images_per_s",
        "higher",
        "Training images per second of training time",
        "train/s",
        "log",
        (0, None),
        headline=True,
        group="speed",
        cost=True,
    ),
    Column(
        "sample_images_per_s",
        "higher",
        "Samples per second, in batches",
        "sample/s",
        "log",
        (0, None),
        headline=True,
        group="speed",
        cost=True,
    ),
    Column(
        "sample_latency_ms",
        "lower",
        "Median time of one sample, milliseconds",
        "latency, ms",
        "log",
        (0, None),
        group="speed",
        cost=True,
    ),
    Column(
        "peak_memory_mb",
        "lower",
        "Peak memory of the run, MB",
        "memory, MB",
        "log",
        (0, None),
        group="speed",
        cost=True,
    ),
)
CPU = (
    Column(
        "cpu_seconds",
        "",
        "CPU time of all threads in training, seconds",
        "CPU, s",
        "log",
        (0, None),
        group="speed",
        cost=True,
    ),
    Column(
        "cpu_share",
        "",
        "CPU time of the training thread over wall-clock, 0 to 1; alone about 0.99",
        scale="share",
        group="run",
    ),
)
ORIGIN = (
    Column("started_at", "", "UTC", group="run"),
    Column("zoo_version", "", "Version of genzoo", group="run"),
    Column("schema_version", "", "Version of the record's layout", integer=True, group="run"),
)
SETTING = (
    Column("judge", "", "Judge's name and the first 8 hex digits of its hash", group="run"),
    Column("metric_versions", "", "Columns by version of the metric that filled them, as JSON", group="run"),
    Column("seeds", "", "Seeds of single axes of randomness as JSON, where they are not the run's", group="run"),
    Column("samples", "", "SHA-256 of samples that were made elsewhere; else empty", group="run"),
    Column("labels", "", "given if the model is given labels, in training and to sample; else empty", group="run"),
    Column("seed_plan", "", "auto if seeds were added until models were separable; else empty", group="run"),
    Column("notes", "", "What is odd about the run", group="run"),
    Column("marks", "", "What speaks against the run's figures", group="run"),
    Column("config", "", "All settings of the model as JSON with sorted keys", group="run"),
)

HARNESS = (*RUN, *SPENT, *CIRCUMSTANCES, *CURVE, *SPEED, *CPU, *ORIGIN, *SETTING)
"""Every column that the harness fills."""

QUALITY = (
    "fid",
    "fid_floor",
    "fid_best",
    "fid_auc",
    "kid",
    "kid_se",
    "precision",
    "recall",
    "density",
    "coverage",
    "modes_captured",
    "modes_total",
    "mode_kl",
    "mode_tv",
    "high_quality",
    "ndb",
    "authentic",
)
"""Quality columns that every table has, empty where they do not apply."""

LEADING_COLUMNS = (
    *(column.name for part in (RUN, SPENT, CIRCUMSTANCES) for column in part),
    *QUALITY,
    *(column.name for part in (SPEED, ORIGIN) for column in part),
)
"""The columns that every table has, in order; others follow in alphabetical order, then :data:`TRAILING_COLUMNS`."""

TRAILING_COLUMNS = tuple(column.name for column in SETTING)
