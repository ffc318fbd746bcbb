"""Street View House Numbers (Netzer et al. 2011), through torchvision: its file names and its checksums."""

from __future__ import annotations

from zoo.task import Split, Task
from zoo_bench.data.sources import SVHN
from zoo_bench.data.splits import hold_out, labelled, to_tensor
from zoo_bench.judges.named import named_judge

VALIDATION, SAMPLES = 5_000, 10_000


def svhn(judge: str = "") -> Task:
    """Load ``svhn``: 68,257 training, 5,000 validation and 26,032 test images, (N, 3, 32, 32) uint8, 10 digits.

    Args:
        judge: A name of :func:`zoo_bench.judges.named.named_judge`.

    Raises:
        DataError: If the files are absent and cannot be downloaded, or are damaged.
    """
    import torchvision.datasets

    def load(root: str, download: bool) -> list[Split]:
        parts = [torchvision.datasets.SVHN(root, split=name, download=download) for name in ("train", "test")]
        return [labelled(SVHN, to_tensor(p.data), to_tensor(p.labels), 10) for p in parts]

    train, test = SVHN.read(load)
    return Task(*hold_out(train, VALIDATION), test, named_judge(judge, channels=3), modes=0, samples=SAMPLES)
