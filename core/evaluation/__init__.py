"""What a checkpoint gets right and wrong. Measuring one costs torch: `core.evaluation.run`."""

from core.evaluation.metrics import Accuracy, Evaluation, evaluate

__all__ = ["Accuracy", "Evaluation", "evaluate"]
