"""Data sets, samplers, and the loader that makes batches; PyTorch's path to it is `tinygrad_lite.utils.data`."""

from tinygrad_lite.data.collate import default_collate as default_collate, default_convert as default_convert
from tinygrad_lite.data.dataset import (
    ChainDataset as ChainDataset,
    ConcatDataset as ConcatDataset,
    Dataset as Dataset,
    IterableDataset as IterableDataset,
    StackDataset as StackDataset,
    Subset as Subset,
    TensorDataset as TensorDataset,
    random_split as random_split,
)
from tinygrad_lite.data.loader import DataLoader as DataLoader
from tinygrad_lite.data.pipes import (
    DataChunk as DataChunk,
    IterDataPipe as IterDataPipe,
    MapDataPipe as MapDataPipe,
    functional_datapipe as functional_datapipe,
)
from tinygrad_lite.data.sampler import (
    BatchSampler as BatchSampler,
    RandomSampler as RandomSampler,
    Sampler as Sampler,
    SequentialSampler as SequentialSampler,
    SubsetRandomSampler as SubsetRandomSampler,
    WeightedRandomSampler as WeightedRandomSampler,
)
from tinygrad_lite.data.workers import get_worker_info as get_worker_info
