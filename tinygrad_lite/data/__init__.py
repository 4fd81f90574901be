"""Data sets, samplers, and the loader that makes batches; PyTorch's name for this is `tinygrad_lite.utils.data`."""

from tinygrad_lite.data.collate import default_collate as default_collate
from tinygrad_lite.data.collate import default_convert as default_convert
from tinygrad_lite.data.dataset import ChainDataset as ChainDataset
from tinygrad_lite.data.dataset import ConcatDataset as ConcatDataset
from tinygrad_lite.data.dataset import Dataset as Dataset
from tinygrad_lite.data.dataset import IterableDataset as IterableDataset
from tinygrad_lite.data.dataset import StackDataset as StackDataset
from tinygrad_lite.data.dataset import Subset as Subset
from tinygrad_lite.data.dataset import TensorDataset as TensorDataset
from tinygrad_lite.data.dataset import random_split as random_split
from tinygrad_lite.data.loader import DataLoader as DataLoader
from tinygrad_lite.data.loader import get_worker_info as get_worker_info
from tinygrad_lite.data.sampler import BatchSampler as BatchSampler
from tinygrad_lite.data.sampler import RandomSampler as RandomSampler
from tinygrad_lite.data.sampler import Sampler as Sampler
from tinygrad_lite.data.sampler import SequentialSampler as SequentialSampler
from tinygrad_lite.data.sampler import SubsetRandomSampler as SubsetRandomSampler
from tinygrad_lite.data.sampler import WeightedRandomSampler as WeightedRandomSampler
