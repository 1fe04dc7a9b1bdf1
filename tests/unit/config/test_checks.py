"""Each check of the commands' parameters, tripped once; what passes, passes."""

import pytest

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.errors import ConfigError

NAN, INF = float("nan"), float("inf")
GOOD = {
    TrainConfig: {
        "tomogram": ("a.mrc", "b.mrc"),
        "coordinates": ("a.csv", "b.csv"),
        "diameter": {"ring": 80.0},
        "out": "out",
    },
    PickConfig: {"model": "m", "tomogram": ("a.mrc", "b.mrc"), "out": "out"},
    EvaluateConfig: {
        "picks": ("a.csv",),
        "truth": ("b.csv",),
        "diameter": {"ring": 80.0},
        "voxel_size": 10.0,
        "out": "out",
    },
    ConvertConfig: {
        "input": ("a.csv",),
        "input_format": "csv",
        "output_format": "txt",
        "out": "out",
        "dimensions": (41, 57, 33),
        "voxel_size": 10.0,
    },
    SimulateConfig: {"out": "out"},
    UpdateConfig: {
        "model": "m",
        "tomogram": ("a.mrc",),
        "coordinates": ("a.csv",),
        "out": "out",
    },
}
TOO_MUCH = {
    TrainConfig: {
        "exemplar_budget": 1e30,
        "learning_rate": 1.5,
        "f_alpha": 1e9,
        "patience": 10**9,
        "steps": 10**30,
        "batch_size": 10**6,
        "patch_size": 8 * 10**6,
        "max_minutes": 1e30,
        "label_diameter": 1e30,
        "seed": 2**31,
        "threads": 10**6,
    },
    UpdateConfig: {"replay_weight": 1e30, "seed": 2**70, "learning_rate": 10.0},
    PickConfig: {
        "tile_size": 10**9,
        "max_picks": 10**30,
        "border": 1e30,
        "min_distance": 1e30,
        "threads": 5000,
        "z_range": (0.0, 1e30),
    },
    EvaluateConfig: {"f_beta": 101.0},
    ConvertConfig: {"dimensions": (41, 57, 10**30), "binning": 1e30},
    SimulateConfig: {
        "tomograms": 10**30,
        "shape": (64, 64, 10**30),
        "particles": 10**30,
        "snr": 1e30,
        "tilt_step": 1e30,
        "gold": 10**30,
    },
}
BAD = [
    (TrainConfig, {"coordinates": ("a.csv",)}, "--tomogram names 2 file"),
    (TrainConfig, {"mask": ("a.mrc",)}, "--mask 1"),
    (TrainConfig, {"validation_tomogram": ("c.mrc",)}, "--validation-coordinates 0"),
    *(
        (TrainConfig, {name: 0}, f"--{name.replace('_', '-')}: got 0, expected a num")
        for name in (
            "voxel_size",
            "working_voxel_size",
            "label_diameter",
            "max_minutes",
            "steps",
            "batch_size",
            "learning_rate",
            "f_alpha",
            "patience",
        )
    ),
    (TrainConfig, {"voxel_size": NAN}, "--voxel-size: got nan"),
    (TrainConfig, {"max_minutes": INF}, "--max-minutes: got inf"),
    (TrainConfig, {"seed": -1}, "--seed: got -1"),
    (TrainConfig, {"threads": -1}, "--threads: got -1"),
    (TrainConfig, {"diameter": {"ring": 9.9}}, "--diameter ring=9.9"),
    (TrainConfig, {"diameter": {"a": 80.0, "b": 5001.0}}, "--diameter b=5001"),
    (TrainConfig, {"diameter": {"ring": NAN}}, "--diameter ring=nan"),
    (TrainConfig, {"patch_size": 8}, "--patch-size: got 8"),
    (TrainConfig, {"patch_size": 60}, "--patch-size: got 60"),
    (TrainConfig, {"validation_fraction": 0.04}, "--validation-fraction: got 0.04"),
    (TrainConfig, {"validation_fraction": 0.51}, "--validation-fraction: got 0.51"),
    (PickConfig, {"mask": ("a.mrc",)}, "--tomogram names 2 file"),
    *(
        (PickConfig, {name: -1}, f"--{name.replace('_', '-')}: got -1, expected a num")
        for name in ("voxel_size", "min_distance", "max_picks", "tile_size")
    ),
    (PickConfig, {"threads": -1}, "--threads: got -1"),
    (PickConfig, {"border": -0.1}, "--border: got -0.1"),
    (PickConfig, {"z_range": (12.0,)}, "--z-range: got 12, expected the first and"),
    (PickConfig, {"z_range": (38.0, 12.0)}, "--z-range: got 38 12"),
    (PickConfig, {"z_range": (-1.0, 12.0)}, "--z-range: got -1 12"),
    (PickConfig, {"z_range": (float("nan"), 12.0)}, "--z-range: got nan 12"),
    (PickConfig, {"threshold": {"ring": 1.01}}, "--threshold ring=1.01"),
    (PickConfig, {"threshold": {"ring": -0.1}}, "--threshold ring=-0.1"),
    (EvaluateConfig, {"truth": ("a", "b")}, "--picks names 1 .* --truth 2"),
    (EvaluateConfig, {"diameter": {"ring": 5.0}}, "in Å, not in voxels"),
    (EvaluateConfig, {"voxel_size": 0.0}, "--voxel-size: got 0"),
    *(
        (known, {"voxel_size": value}, "got .*, expected a number of 0.1 to 1000 Å")
        for known in (TrainConfig, PickConfig, EvaluateConfig, ConvertConfig)
        for value in (1e30, 1001.0, 0.09, INF, NAN, -10.0)
    ),
    (SimulateConfig, {"voxel_size": 1e30}, r"--voxel-size: got 1e\+30"),
    (TrainConfig, {"working_voxel_size": 1e4}, "--working-voxel-size: got 10000"),
    *(
        (known, {"trust_voxel_size": True}, "--trust-voxel-size is given without")
        for known in (TrainConfig, PickConfig)
    ),
    (EvaluateConfig, {"match_distance": 0.0}, "--match-distance: got 0"),
    (EvaluateConfig, {"match_distance": 2.1}, "expected 2 or less"),
    (EvaluateConfig, {"f_beta": -1.0}, "--f-beta: got -1"),
    (ConvertConfig, {"voxel_size": None}, "does not guess it"),
    (ConvertConfig, {"dimensions": ()}, "does not guess them"),
    (ConvertConfig, {"dimensions": (41, 57, -33)}, "--dimensions: got 41 57 -33"),
    (ConvertConfig, {"tomogram": ("a.mrc",)}, "both given"),
    (ConvertConfig, {"binning": 0.0}, "--binning: got 0"),
    (ConvertConfig, {"output_format": "relion4"}, "Give --binning"),
    (ConvertConfig, {"class_name": ()}, "give at least one name"),
    *(
        (
            SimulateConfig,
            {name: 0},
            f"--{name.replace('_', '-')}: got 0, expected a num",
        )
        for name in (
            "tomograms",
            "voxel_size",
            "particles",
            "snr",
            "tilt_step",
            "defocus",
        )
    ),
    *(
        (SimulateConfig, {name: -1}, f"--{name}: got -1, expected 0 or more")
        for name in ("membranes", "filaments", "gold", "seed")
    ),
    (SimulateConfig, {"shape": (64, 64)}, r"--shape: got \(64, 64\)"),
    (SimulateConfig, {"shape": (64, 15, 64)}, r"--shape: got \(64, 15, 64\)"),
    (SimulateConfig, {"tilt_range": 0.0}, "--tilt-range: got 0"),
    (SimulateConfig, {"tilt_range": 91.0}, "--tilt-range: got 91"),
    *(
        (config_class, {name: value}, f"--{name.replace('_', '-')}: got .*or less")
        for config_class, values in TOO_MUCH.items()
        for name, value in values.items()
    ),
    (TrainConfig, {"exemplar_budget": NAN}, "--exemplar-budget: got nan"),
    (UpdateConfig, {"importance_weight": INF}, "got inf, expected a finite number"),
    (PickConfig, {"border": INF}, "--border: got inf, expected a finite number"),
    (ConvertConfig, {"binning": INF}, "--binning: got inf"),
]
EDGES = [
    (TrainConfig, {"patch_size": 16, "validation_fraction": 0.5, "threads": 0}),
    (TrainConfig, {"diameter": {"a": 10.0, "b": 5000.0}, "mask": ("a", "b")}),
    (PickConfig, {"threshold": {"a": 0.0, "b": 1.0}, "border": 0.0, "max_picks": 1}),
    (EvaluateConfig, {"match_distance": 2.0, "voxel_size": 1000.0}),
    (PickConfig, {"voxel_size": 0.1, "trust_voxel_size": True}),
    (ConvertConfig, {"output_format": "relion4", "binning": 1.0}),
    (ConvertConfig, {"tomogram": ("a",), "dimensions": (), "voxel_size": None}),
    (SimulateConfig, {"shape": (16, 17, 18), "tilt_range": 90.0, "membranes": 0}),
    (TrainConfig, {"seed": 2**31 - 1, "learning_rate": 1.0, "exemplar_budget": 1e4}),
]


@pytest.mark.parametrize(("config_class", "change", "message"), BAD)
def test_what_is_refused(config_class, change, message):
    with pytest.raises(ConfigError, match=message):
        config_class(**{**GOOD[config_class], **change})


@pytest.mark.parametrize(("config_class", "change"), EDGES)
def test_what_just_passes(config_class, change):
    config = config_class(**{**GOOD[config_class], **change})

    assert {name: getattr(config, name) for name in change} == change
