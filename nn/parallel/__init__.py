"""Data parallelism, which needs several devices or processes; here the modules run as they are."""

from tinygrad_lite.nn.parallel.data_parallel import DataParallel as DataParallel, data_parallel as data_parallel
from tinygrad_lite.nn.parallel.distributed import DistributedDataParallel as DistributedDataParallel
