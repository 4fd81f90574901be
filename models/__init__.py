"""Estimators and networks built from :mod:`tinygrad_lite.nn`."""

from tinygrad_lite.models.cnn import CNNClassifier as CNNClassifier
from tinygrad_lite.models.kmeans import KMeans as KMeans
from tinygrad_lite.models.linear import (
    ElasticNet as ElasticNet,
    Lasso as Lasso,
    LinearRegression as LinearRegression,
    Ridge as Ridge,
)
from tinygrad_lite.models.logistic import LogisticRegression as LogisticRegression
from tinygrad_lite.models.mlp import MLPClassifier as MLPClassifier, MLPRegressor as MLPRegressor
from tinygrad_lite.models.networks import (
    CubicNet as CubicNet,
    DigitsCNN as DigitsCNN,
    LeNet as LeNet,
    LineDetector as LineDetector,
    SmallCNN as SmallCNN,
    TinyCNN as TinyCNN,
    UpDown as UpDown,
    XorNet as XorNet,
)
from tinygrad_lite.models.soft_kmeans import SoftClusters as SoftClusters, SoftKMeans as SoftKMeans
from tinygrad_lite.models.validation import ConvergenceWarning as ConvergenceWarning, NotFittedError as NotFittedError
