"""Images that the package ``datasets`` reads: ``hf:NAME?split=train&image=picture&label=kind&size=32``."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from zoo.errors import DataError, UnknownNameError, ZooError
from zoo.specs import TaskSpec
from zoo.task import Task
from zoo_bench.data.pictures import task as pictures
from zoo_bench.data.pictures.images import UnusableError, one_line
from zoo_bench.data.pictures.listing import Listing, scan
from zoo_bench.data.pictures.preparing import Contents

VALIDATION_SPLIT_NAMES = ("validation", "valid", "val", "dev")
FORMATS_BY_SUFFIX = {".parquet": "parquet", ".arrow": "arrow"}


class DataSet:
    """A data set of images, on this machine or on the Hugging Face hub. Implements ``Pictures``.

    Args:
        name: A folder that ``save_to_disk`` wrote or ``load_dataset`` understands, a Parquet or Arrow file, or a name
            on the hub.
        options: ``split``, ``image``, ``label`` and ``config``, as far as they are set.
    """

    def __init__(self, name: str, options: dict[str, str]) -> None:
        self.title = f"data set {name!r}"
        self._name = name
        self._path = Path(os.path.expanduser(name))
        self._options = options
        self._loaded: dict[str, Any] = {}

    def scan(self) -> Listing:
        """List the files of a data set on this machine; look one up on the hub, and fetch it if it is not cached."""
        facts: list[Any]
        if self._path.is_dir():
            facts = [scan(self._path, suffixes="").key]
        elif self._path.exists():
            status = self._path.stat()
            facts = [str(self._path.resolve()), status.st_size, status.st_mtime_ns]
        elif self._name.startswith(("/", ".", "~")):
            raise DataError(f"{self._name!r} is absent: name a data set on this machine or on the Hugging Face hub")
        else:
            self._loaded = self._loaded or self._fetch()
            facts = [part._fingerprint for part in self._loaded.values()]
        text = json.dumps([facts, sorted(self._options.items())])
        return Listing([], hashlib.sha256(text.encode()).hexdigest())

    def contents(self, listing: Listing, temporary: Path) -> Contents:
        """Choose splits and columns."""
        parts = self._selected(self._loaded or self._read(temporary))
        from datasets import Image

        first = next(iter(parts.values()))
        image = self._image_column(first.features)
        label = self._label_column(first.features)
        try:
            pages = [part.select_columns([image]).cast_column(image, Image(decode=False)) for part in parts.values()]
        except Exception as error:
            raise DataError(f"column {image!r} of {self.title} holds no images: {one_line(error)}") from error
        kinds = [kind for part in parts.values() for kind in self._kinds(part, label)] if label else None
        positions = [(page, row) for page in pages for row in range(len(page))]
        names = [f"{split}[{row}]" for split, part in parts.items() for row in range(len(part))]

        def load(index: int) -> Path | bytes:
            page, row = positions[index]
            cell = page[row][image]
            if cell is None:
                raise UnusableError("no image")
            return Path(cell["path"]) if cell["bytes"] is None else cell["bytes"]

        return Contents(names, load, kinds, self._published(parts))

    def _selected(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Return the split that the options name, or all."""
        split = self._options.get("split")
        if split is None:
            return parts
        if split not in parts:
            raise UnknownNameError(f"split of {self.title}", split, parts)
        return {split: parts[split]}

    def _published(self, parts: dict[str, Any]) -> list[int | None] | None:
        """Return the published split of every image if there are a training and a test split."""
        if not {"train", "test"} <= set(parts):
            return None
        numbers: dict[str, int | None] = {"test": 2}
        for name in VALIDATION_SPLIT_NAMES:
            if name in parts:
                numbers = {"train": 0, name: 1, **numbers}
        return [numbers.get(name) for name, part in parts.items() for _ in range(len(part))]

    def _image_column(self, features: dict[str, Any]) -> str:
        from datasets import Image

        if (column := self._options.get("image")) is not None:
            return _checked_name("column of images", column, features)
        columns = [name for name, feature in features.items() if isinstance(feature, Image)]
        if len(columns) != 1:
            raise DataError(
                f"{self.title} has {len(columns)} columns of images among {', '.join(features)}: "
                "name one with image=NAME"
            )
        return columns[0]

    def _label_column(self, features: dict[str, Any]) -> str:
        from datasets import ClassLabel

        if (column := self._options.get("label")) is not None:
            return column and _checked_name("column of labels", column, features)
        columns = [name for name, feature in features.items() if isinstance(feature, ClassLabel)]
        return columns[0] if len(columns) == 1 else ""

    def _kinds(self, part: Any, column: str) -> Iterator[Any]:
        """Yield the class of every row: its name if the data set names its classes, else a number or a text."""
        from datasets import ClassLabel

        feature, values = part.features[column], part.with_format(None)[column]
        if not isinstance(feature, ClassLabel):
            yield from values
            return
        for value in values:
            if value is None or not 0 <= value < feature.num_classes:
                raise DataError(
                    f"column {column!r} of {self.title} has the label {value}, but {feature.num_classes} classes are 0 "
                    f"to {feature.num_classes - 1}: name another with label=NAME, or none with label="
                )
            yield feature.int2str(value)

    def _read(self, temporary: Path) -> dict[str, Any]:
        """Load a data set on this machine; what ``datasets`` writes while it reads goes into a temporary folder."""
        datasets = _library()
        path, options = str(self._path.resolve()), {"cache_dir": str(temporary / "datasets"), **self._config()}
        datasets.disable_progress_bars()
        try:
            if any((self._path / name).is_file() for name in ("dataset_dict.json", "state.json")):
                return _splits(datasets.load_from_disk(path))
            if self._path.is_file():
                file_format = FORMATS_BY_SUFFIX.get(self._path.suffix)
                if file_format is None:
                    raise DataError(f"{self.title} is neither a folder nor a {' or '.join(FORMATS_BY_SUFFIX)} file")
                return _splits(datasets.load_dataset(file_format, data_files=path, **options))
            return _splits(datasets.load_dataset(path, **options))
        except ZooError:
            raise
        except Exception as error:
            raise DataError(f"{self.title} cannot be loaded: {_cause(error)}") from error
        finally:
            datasets.enable_progress_bars()

    def _fetch(self) -> dict[str, Any]:
        datasets = _library()
        print(f"looking for {self.title} on the Hugging Face hub", file=sys.stderr)
        try:
            return _splits(datasets.load_dataset(self._name, **self._config()))
        except Exception as error:
            raise DataError(
                f"{self.title} is neither on this machine nor to be had from the Hugging Face hub: {_cause(error)}"
            ) from error

    def _config(self) -> dict[str, str]:
        return {"name": self._options["config"]} if "config" in self._options else {}


def variant(spec: TaskSpec, text: str) -> TaskSpec:
    """Return the spec of one data set, prepared if need be. Errors as :func:`zoo_bench.data.pictures.task.variant`."""

    def find(location: str, options: dict[str, str]) -> tuple[DataSet, str]:
        name = unquote(location)
        return DataSet(name, options), Path(name).stem

    return pictures.variant(spec, text, find, "split", "image", "label", "config")


def hf(content: str = "") -> Task:
    """Load the task of one data set; argument and errors as :func:`zoo_bench.data.pictures.task.load`."""
    return pictures.load("hf", content)


def _library() -> Any:
    try:
        import datasets
        import huggingface_hub
    except ImportError as error:
        raise ZooError("task 'hf' needs the package `datasets`: pip install 'genzoo[hf]'") from error
    datasets.logging.set_verbosity_error()
    huggingface_hub.utils.logging.set_verbosity_error()
    return datasets


def _splits(loaded: Any) -> dict[str, Any]:
    """Return the splits of what ``datasets`` loaded by name; one without splits is called "all"."""
    return dict(loaded) if isinstance(loaded, dict) else {"all": loaded}


def _checked_name(role: str, name: str, features: dict[str, Any]) -> str:
    if name not in features:
        raise UnknownNameError(role, name, features)
    return name


def _cause(error: Exception) -> str:
    return one_line(error).rstrip(".")
