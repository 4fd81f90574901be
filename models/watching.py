"""scikit-learn's callbacks, from its version 1.9 on: progress bars, scores of every step, a stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.errors import require

Watch = Callable[[Any], bool]
"""Called with the weights after each step; true says that this was the last."""


def set_callbacks(estimator: Any, callbacks: tuple[Any, ...]) -> None:
    """Keep the callbacks for the next fits; TypeError for what is none."""
    require("sklearn.callback", extra="test").CallbackSupportMixin.set_callbacks(estimator, *callbacks)


def watched(estimator: Any) -> bool:
    """Return whether there are callbacks, of the estimator or of a search or pipeline around it."""
    return "_skl_callbacks" in estimator.__dict__ or "_parent_callback_ctx" in estimator.__dict__


def fit(estimator: Any, learn: Callable[[Any], None], X: Any, y: Any, weights: Any, most: int) -> None:
    """Run ``learn`` within the callbacks; it takes a `Watcher`."""
    library = require("sklearn.callback", extra="test")
    metadata = None if weights is None else {"sample_weight": weights}
    data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}

    def run(_: Any) -> None:
        # one task more than steps, as scikit-learn has it: the one that would have come next
        context = library.CallbackSupportMixin._init_callback_context(estimator, max_subtasks=max(most, 1) + 1)
        context.call_on_fit_task_begin(**data)
        watcher = Watcher(context, data)
        learn(watcher)
        watcher.close()
        context.call_on_fit_task_end(**data, reconstruction_attributes={})

    library.with_callbacks(run)(estimator)


class Watcher:
    """Tells the callbacks where each step begins and ends, with what the estimator would be if it stopped there."""

    def __init__(self, context: Any, data: dict[str, Any]) -> None:
        self.context, self.data = context, data
        self.steps = 0
        self.task: Any = None
        self.learned: Callable[[Any], dict[str, Any]] = lambda w: {}
        self.last: dict[str, Any] = {}

    def begin(self, w: Any, learned: Callable[[Any], dict[str, Any]]) -> None:
        """Begin with these weights; ``learned`` turns weights into the attributes of a fitted estimator."""
        self.learned, self.last = learned, learned(w)
        self._next()

    def _next(self) -> None:
        self.task = self.context.subcontext(task_name="iter")
        self.task.call_on_fit_task_begin(**self.data, reconstruction_attributes=self.last)

    def __call__(self, w: Any) -> bool:
        """End a step, begin the next; return whether a callback wants to stop."""
        self.last = self.learned(w)
        return self._ended()

    def _ended(self) -> bool:
        stop = self.task.call_on_fit_task_end(**self.data, reconstruction_attributes=self.last)
        self.steps += 1
        self._next()
        return bool(stop)

    def close(self) -> None:
        """End the task that did not run."""
        if self.task is not None:
            if not self.steps:
                self._ended()
            self.task.call_on_fit_task_end(estimator=self.data["estimator"])
