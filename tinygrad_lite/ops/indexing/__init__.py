"""Reading and writing by index: getitem, gather, scatter, embeddings, in-place writes."""

from tinygrad_lite.ops.indexing import (
    embedding as embedding,
    embedding_bag as embedding_bag,
    gather as gather,
    getitem as getitem,
    inplace as inplace,
    positions as positions,
    scatter as scatter,
    segments as segments,
    strided as strided,
)
