"""What metrics are called where people read them."""

# of those that are not called by their name
TITLES = {"r2": "R²", "d2": "D²", "f1": "F1", "mean_iou": "mIoU"}


def title(metric: str) -> str:
    """What a metric is called in tables and sentences.

    >>> title("balanced_accuracy")
    'balanced accuracy'
    """
    return TITLES.get(metric, metric.replace("_", " "))
