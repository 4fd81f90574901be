"""The state of a whole training: collected, restored, and put back when restoring fails."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_lite import random
from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.training.callback import Callback, keyed
from tinygrad_lite.training.history import History

if TYPE_CHECKING:
    from tinygrad_lite.training.trainer import Trainer

PARTS = {"epoch", "history", "model", "optimizer", "scheduler", "callbacks", "random", "generator"}


def generator_of(trainer: Trainer) -> Any:
    """Return the generator that shuffles the training data, if it has its own."""
    return getattr(trainer._train, "generator", None)


def whole_state(trainer: Trainer) -> dict[str, Any]:
    """Return the state of a training."""
    generator = generator_of(trainer)
    return {
        "epoch": trainer.epoch,
        "history": {name: list(values) for name, values in trainer.history.items()},
        "recorded": {name: trainer.history.epochs(name) for name in trainer.history},
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "scheduler": None if trainer.scheduler is None else trainer.scheduler.state_dict(),
        "callbacks": {key: callback.state_dict() for key, callback in keyed(trainer.callbacks).items()},
        "random": random.get_rng_state(),
        "generator": None if generator is None else generator.bit_generator.state,
    }


def restore(trainer: Trainer, state: Mapping[str, Any]) -> None:
    """Restore a state; an error may leave half of it, the caller puts the rest back."""
    missing = PARTS - {*state}
    if missing:
        raise KeyError(f"Trainer: this is not the state of a training, it lacks {', '.join(sorted(missing))}")
    if not isinstance(state["callbacks"], Mapping):
        raise ValueError("Trainer: the callbacks in this state have no names; it was written by an older version")
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    if trainer.scheduler is not None and state["scheduler"] is not None:
        trainer.scheduler.load_state_dict(state["scheduler"])
    for key, callback in keyed(trainer.callbacks).items():
        callback.reset()
        if key in state["callbacks"]:
            callback.load_state_dict(state["callbacks"][key])
    trainer.epoch = state["epoch"]
    trainer.history = History(state["history"], state.get("recorded", {}))
    random.set_rng_state(state["random"])
    generator = generator_of(trainer)
    if generator is not None and state["generator"] is not None:
        generator.bit_generator.state = state["generator"]


class Snapshot:
    """Everything that a training changes, to put it back after an error."""

    def __init__(self, trainer: Trainer, callbacks: list[Callback]) -> None:
        self.trainer = trainer
        self.values = dict(vars(trainer))
        self.model = copied(trainer.model)
        self.grads = [(p, p.grad) for p in trainer.model.parameters()]
        self.optimizer = copy.deepcopy(trainer.optimizer.state_dict())
        self.scheduler = None if trainer.scheduler is None else copy.deepcopy(trainer.scheduler.state_dict())
        self.callbacks = [(callback, dict(vars(callback))) for callback in callbacks]
        self.random = random.get_rng_state()
        self.generator: Any = None
        self.generators()

    def generators(self) -> None:
        """Keep the state of the generator that shuffles the current training data."""
        generator = generator_of(self.trainer)
        self.generator = None if generator is None else (generator, generator.bit_generator.state)

    def restore(self) -> None:
        """Put everything back."""
        vars(self.trainer).clear()
        vars(self.trainer).update(self.values)
        self.trainer.model.load_state_dict(self.model)
        for p, grad in self.grads:
            p.grad = grad
        self.trainer.optimizer.load_state_dict(self.optimizer)
        if self.trainer.scheduler is not None:
            self.trainer.scheduler.load_state_dict(self.scheduler)
        for callback, values in self.callbacks:
            vars(callback).clear()
            vars(callback).update(values)
        random.set_rng_state(self.random)
        if self.generator is not None:
            generator, state = self.generator
            generator.bit_generator.state = state


def copied(model: Any) -> dict[str, Any]:
    """Return a copy of the state of a module."""
    return {
        name: make(new.array(value.array)) if hasattr(value, "array") else copy.deepcopy(value)
        for name, value in model.state_dict().items()
    }
