"""Estimators and networks built from :mod:`tinygrad_lite.nn`."""

from tinygrad_lite.models.convolutional import CNNClassifier as CNNClassifier
from tinygrad_lite.models.kmeans import KMeans as KMeans
from tinygrad_lite.models.linear import ElasticNet as ElasticNet
from tinygrad_lite.models.linear import Lasso as Lasso
from tinygrad_lite.models.linear import LinearRegression as LinearRegression
from tinygrad_lite.models.linear import Ridge as Ridge
from tinygrad_lite.models.logistic import LogisticRegression as LogisticRegression
from tinygrad_lite.models.perceptron import MLPClassifier as MLPClassifier
from tinygrad_lite.models.perceptron import MLPRegressor as MLPRegressor
from tinygrad_lite.models.soft_kmeans import SoftClusters as SoftClusters
from tinygrad_lite.models.soft_kmeans import SoftKMeans as SoftKMeans
from tinygrad_lite.models.validation import ConvergenceWarning as ConvergenceWarning
from tinygrad_lite.models.validation import NotFittedError as NotFittedError
