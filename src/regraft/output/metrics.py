"""What metrics are called where people read them."""

TITLES: dict[str, str] = {"mean_iou": "mIoU"}  # of those that are not called by their name


def title(metric: str) -> str:
    """What a metric is called in tables and sentences.

    >>> title("balanced_accuracy")
    'balanced accuracy'
    """
    return TITLES.get(metric, metric.replace("_", " "))
