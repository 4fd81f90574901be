"""Layers, losses and their functional forms: the building blocks of networks."""

from tinygrad_lite.nn import (
    functional as functional,
    init as init,
    modules as modules,
    parallel as parallel,
    regularisation as regularisation,
    utils as utils,
)
from tinygrad_lite.nn.activation import *  # noqa: F403
from tinygrad_lite.nn.adaptive import *  # noqa: F403
from tinygrad_lite.nn.attention import *  # noqa: F403
from tinygrad_lite.nn.container import *  # noqa: F403
from tinygrad_lite.nn.conv import *  # noqa: F403
from tinygrad_lite.nn.dropout import *  # noqa: F403
from tinygrad_lite.nn.embedding import *  # noqa: F403
from tinygrad_lite.nn.flatten import *  # noqa: F403
from tinygrad_lite.nn.lazy import *  # noqa: F403
from tinygrad_lite.nn.linear import Bilinear as Bilinear, Identity as Identity, Linear as Linear
from tinygrad_lite.nn.losses import *  # noqa: F403
from tinygrad_lite.nn.module import Module as Module
from tinygrad_lite.nn.normalisation import *  # noqa: F403
from tinygrad_lite.nn.padding import *  # noqa: F403
from tinygrad_lite.nn.parallel import DataParallel as DataParallel
from tinygrad_lite.nn.parameter import (
    Buffer as Buffer,
    Parameter as Parameter,
    UninitializedBuffer as UninitializedBuffer,
    UninitializedParameter as UninitializedParameter,
)
from tinygrad_lite.nn.parameter_container import *  # noqa: F403
from tinygrad_lite.nn.pixelshuffle import *  # noqa: F403
from tinygrad_lite.nn.pooling import *  # noqa: F403
from tinygrad_lite.nn.recurrent import *  # noqa: F403
from tinygrad_lite.nn.recurrent import _Cell as RNNCellBase, _Recurrent as RNNBase
from tinygrad_lite.nn.regularisation import L1 as L1, L2 as L2, ElasticNet as ElasticNet, GroupLasso as GroupLasso
from tinygrad_lite.nn.softmax import *  # noqa: F403
from tinygrad_lite.nn.transformer import *  # noqa: F403
from tinygrad_lite.nn.upsampling import *  # noqa: F403
