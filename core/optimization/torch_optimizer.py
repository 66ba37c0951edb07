"""Any rule as a torch.optim.Optimizer: the rule computes updates, this class stores the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from core.fields import from_json, to_json
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import Rule


def rule_of(settings: Any) -> Rule:
    """Returns the rule with this type of settings. Raises ValueError for anything else."""
    for rule in OPTIMIZERS.values():
        if type(settings) is rule.settings:
            return rule
    raise ValueError(
        f"{type(settings).__name__} are no optimizer's settings; take those of core.optimization"
    )


class RuleOptimizer(torch.optim.Optimizer):
    """Updates named parameters by the rule of the given settings.

    params    (name, parameter) pairs, as from `model.named_parameters()`, or groups: dicts whose
              "params" are such pairs, which may have their own "lr", "weight_decay" and "settings"
              (also those of another rule)
    settings  for every group without its own

    A group's "lr" and "weight_decay" are read at each step and may change between steps. Works on
    DTensors as on tensors. Raises ValueError for parameters without names, or for a vector if the
    rule moves only matrices.
    """

    def __init__(
        self,
        params: Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]],
        settings: Any,
    ) -> None:
        rule_of(settings)
        super().__init__(params, {"settings": settings})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group, in the form that the constructor takes."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        settings = group["settings"]
        group.setdefault("lr", settings.learning_rate)
        group.setdefault("weight_decay", settings.weight_decay)
        if "param_names" not in group:
            raise ValueError("the parameters have no names; give model.named_parameters()")
        for name, parameter in zip(group["param_names"], group["params"], strict=True):
            if rule_of(settings).matrices_only and parameter.ndim != 2:
                raise ValueError(
                    f"{name} has shape {tuple(parameter.shape)}, and {rule_of(settings).title} "
                    "moves matrices only; put it in a group with AdamWSettings (matrix_groups "
                    "does that)"
                )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates every parameter that has a gradient; returns the closure's result, if any."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rule = rule_of(group["settings"])
            changes = {"learning_rate": group["lr"], "weight_decay": group["weight_decay"]}
            settings = replace(group["settings"], **changes)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, rule, settings)
        return loss

    def _move(self, parameter: Tensor, rule: Rule, settings: Any) -> None:
        known = self.state[parameter]
        step = int(known["step"]) + 1 if known else 1
        state = rule.state(**{key: value for key, value in known.items() if key != "step"})
        new, state = rule.update(parameter, parameter.grad, state, step, settings)
        parameter.copy_(new)
        remembered = {field.name: getattr(state, field.name) for field in fields(state)}
        self.state[parameter] = {"step": torch.tensor(step), **remembered}

    def state_names(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the names in the state of a group's parameters: "step" and the rule's fields."""
        return ("step", *(field.name for field in fields(rule_of(group["settings"]).state)))

    def state_dict(self) -> dict[str, Any]:
        """Returns "state", by parameter name and state name, and "param_groups".

        The state consists of tensors, which can be saved as "h.0.attn.c_attn.weight/average".
        """
        named = [pair for group in self.param_groups for pair in _pairs(group)]
        return {
            "state": {name: dict(self.state[p]) for name, p in named if p in self.state},
            "param_groups": [
                {
                    "params": list(group["param_names"]),
                    "lr": group["lr"],
                    "weight_decay": group["weight_decay"],
                    "rule": rule_of(group["settings"]).name,
                    "settings": to_json(group["settings"]),
                }
                for group in self.param_groups
            ],
        }

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restores a `state_dict`. Raises ValueError if parameters, rule or shapes differ."""
        groups: Sequence[Mapping[str, Any]] = state_dict["param_groups"]
        theirs = [(list(group["params"]), group["rule"]) for group in groups]
        ours = [
            (list(group["param_names"]), rule_of(group["settings"]).name)
            for group in self.param_groups
        ]
        if theirs != ours:
            raise ValueError(
                "this state belongs to other parameters or another optimizer; build the optimizer "
                "as it was when the state was saved"
            )
        for group, saved in zip(self.param_groups, groups, strict=True):
            kind = rule_of(group["settings"]).settings
            group["settings"] = from_json(kind, saved["settings"])
            group |= {"lr": saved["lr"], "weight_decay": saved["weight_decay"]}
            for name, parameter in _pairs(group):
                self._restore(name, parameter, state_dict["state"].get(name), group)

    def _restore(
        self, name: str, parameter: Tensor, saved: Mapping[str, Tensor] | None, group: Any
    ) -> None:
        self.state.pop(parameter, None)
        if saved is None:
            return
        if set(saved) != set(self.state_names(group)):
            raise ValueError(
                f"{name}: the state has {', '.join(saved)}, {', '.join(self.state_names(group))} "
                "are wanted; build the optimizer as it was when the state was saved"
            )
        for key, value in saved.items():
            if key != "step" and value.shape != parameter.shape:
                raise ValueError(
                    f"{name}/{key} has shape {tuple(value.shape)}, the parameter "
                    f"{tuple(parameter.shape)}; load it into the model that it was saved of"
                )
        self.state[parameter] = {
            key: value.clone() if key == "step" else value.to(parameter, copy=True)
            for key, value in saved.items()
        }


def _pairs(group: Mapping[str, Any]) -> list[tuple[str, Tensor]]:
    return list(zip(group["param_names"], group["params"], strict=True))
