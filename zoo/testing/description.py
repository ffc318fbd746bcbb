"""Rules about how a plugin describes itself: spec, settings, shapes, imports."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

from zoo.config import Range
from zoo.errors import ZooError
from zoo.model import build, configure
from zoo.testing.check import rule
from zoo.testing.subject import SIDES, Subject, require

MAX_SUMMARY_CHARACTERS = 100
UNUSUAL_SHAPES = {"images": (1, 9, 14), "points": (3,)}


@rule("write what it is in one line, in the ModelSpec's summary", once=True)
def summary(subject: Subject) -> None:
    """The summary is one line of at most 100 characters."""
    text = subject.spec.summary
    require(text.strip(), "the summary is empty")
    require("\n" not in text, "the summary has a line break")
    require(len(text) <= MAX_SUMMARY_CHARACTERS, f"the summary has {len(text)} characters")


@rule("fill in the ModelSpec's family and paper; an unpublished model's paper is 'unpublished'", once=True)
def paper(subject: Subject) -> None:
    """The spec names a family and a paper."""
    require(subject.spec.family, "the spec has no family")
    require(subject.spec.paper, "the spec has no paper")


@rule("keep plain strings and tuples in the spec: runs are sent to other processes", once=True)
def spec_pickles(subject: Subject) -> None:
    """The spec survives pickling."""
    require(pickle.loads(pickle.dumps(subject.spec)) == subject.spec, "the unpickled spec differs")


@rule("import torch in the model's module only, and name that in target='module:Class'", once=True)
def lazy_import(subject: Subject) -> None:
    """Importing the plugin's module imports no torch."""
    heavy = subject.imported.heavy
    require(not heavy, f"importing the plugins of {subject.entry.plugin.distribution} imports {' and '.join(heavy)}")


@rule("remove it: these settings belong to the process, which other code shares", once=True)
def import_changes_no_settings(subject: Subject) -> None:
    """Importing the plugin changes no global setting of torch."""
    require(not subject.imported.changed, f"importing the plugin changes {', '.join(subject.imported.changed)}")


@rule("print to sys.stderr or not at all: stdout is for results", once=True)
def import_prints_nothing(subject: Subject) -> None:
    """Importing the plugin prints nothing to stdout."""
    require(not subject.imported.printed, f"importing prints {subject.imported.printed.strip()[:60]!r}")


@rule("use only what `import zoo` offers: the harness is not part of the contract", once=True)
def knows_no_harness(subject: Subject) -> None:
    """Importing the plugin does not import the harness."""
    harnesses = subject.imported.harnesses
    require(not harnesses, f"the plugin imports {' and '.join(harnesses)}")


@rule("use types that JSON can hold: numbers, text, booleans, None, tuples of them")
def settings_round_trip(subject: Subject) -> None:
    """Settings survive JSON, in which every record stores them."""
    config = subject.config
    text = json.dumps(config.model_dump(mode="json"))
    restored = configure(subject.entry, subject.shape, json.loads(text))[1]
    require(restored == config, f"settings read back from {text} differ")


@rule("give every field of the Config a description: Field(0.1, gt=0, description='...')")
def settings_described(subject: Subject) -> None:
    """Every setting has a description."""
    bare = [name for name, field in type(subject.config).model_fields.items() if not field.description]
    require(not bare, f"no description: {', '.join(bare)}")


@rule("derive the Config from zoo.ModelConfig and leave its model_config alone")
def unknown_setting_refused(subject: Subject) -> None:
    """A setting that does not exist is refused, also by the Config itself."""
    config = subject.config
    unknown = {**config.model_dump(), "no_such_setting": 1}
    require(_refuses(configure, subject.entry, subject.shape, unknown), "no_such_setting=1 is accepted")
    require(_refuses(type(config).model_validate, unknown), "the Config accepts no_such_setting=1")


@rule("bound numbers with ge, gt, le or lt in their Field, batch_size with ge=1 also where it is redefined")
def settings_bounded(subject: Subject) -> None:
    """Values of the wrong type or out of bounds are refused."""
    for name, value in [("batch_size", 0), *_wrong(type(subject.config).model_json_schema())]:
        require(_refuses(configure, subject.entry, subject.shape, {name: value}), f"{name}={value!r} is accepted")


@rule("name fields of the Config in `search`, `tuned` and `named_presets`, with values that they accept")
def presets_and_search(subject: Subject) -> None:
    """Presets, and all values that tuning may choose, are settings that the model takes."""
    config = type(subject.config)
    for name, space in config.search.items():
        values = (space.low, space.high) if isinstance(space, Range) else space
        for value in values:
            configure(subject.entry, subject.shape, {name: value})
    for settings in config.tuned.values():
        configure(subject.entry, subject.shape, dict(settings))
    for name, settings in config.named_presets.items():
        configure(subject.entry, subject.shape, {"preset": name, **settings})


@rule("leave model_config alone: settings are part of a run's identity")
def settings_frozen(subject: Subject) -> None:
    """Settings cannot be changed once they are resolved."""
    config = subject.config
    require(_refuses(setattr, config, "batch_size", 1), "config.batch_size = 1 is accepted")


@rule("declare in the spec's data what the model can do, and raise zoo.ZooError for the shapes that it cannot")
def refuses_in_a_sentence(subject: Subject) -> None:
    """Other kinds and odd shapes are handled, or refused with a ZooError."""
    for kind, shape in UNUSUAL_SHAPES.items():
        try:
            build(subject.entry, shape, {})
        except ZooError:
            continue
        require(kind in subject.spec.data, f"{kind} of shape {shape} are accepted though the spec does not list {kind}")
        unusual = Subject(subject.entry, shape)
        unusual.play(unusual.build(), rounds=1)


@rule("build networks for self.shape, or raise zoo.ZooError for a side that the method cannot have")
def usual_sides(subject: Subject) -> None:
    """It trains and samples at 8, 16, 28 and 32 pixels, or refuses the side with a ZooError."""
    shapes = [(channels, side, side) for side in SIDES for channels in (1, 3)] if len(subject.shape) == 3 else [(2,)]
    for shape in shapes:
        sized = Subject(subject.entry, shape)
        try:
            model = sized.build()
        except ZooError:
            continue
        game = sized.play(model, rounds=1, batch=4)
        sample_shape = tuple(sized.samples(game.model, 2).shape)
        require(sample_shape == (2, *shape), f"sample(2) returns {sample_shape} for items of {shape}")


def _wrong(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (setting, value) that a config's JSON schema does not allow."""
    beyond = {"minimum": -1, "exclusiveMinimum": 0, "maximum": 1, "exclusiveMaximum": 0}
    for name, field in schema["properties"].items():
        options = field.get("anyOf", [field])
        if {option.get("type") for option in options} <= {"integer", "number", "null"}:
            yield name, "not a number"
            for option in options:
                yield from ((name, option[key] + step) for key, step in beyond.items() if key in option)


def _refuses(action: Callable[..., object], *arguments: Any) -> bool:
    try:
        action(*arguments)
    except (ZooError, ValueError, TypeError):
        return True
    return False
