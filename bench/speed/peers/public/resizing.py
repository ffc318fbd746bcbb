"""What resizing to 32 pixels costs: the FID of real MNIST images, as they are, and enlarged and reduced again."""

from zoo_public.model import SIDE, resized

from zoo.evaluation import Evaluation
from zoo.registry import installed
from zoo.task import to_model, to_storage
from zoo_bench.data.loading import load_task
from zoo_bench.score.metrics.fid import fid

task = load_task(installed().tasks.get("mnist"))
real = task.train.data[:10_000]
there_and_back = to_storage(resized(resized(to_model(real), SIDE), real.shape[-1]))
for name, images in (("as they are", real), (f"by way of {SIDE} pixels", there_and_back)):
    print(f"{name}: {fid(Evaluation(task, images))['fid']:.3g}")
