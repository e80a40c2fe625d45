"""Classification networks reused for masks: the class of every pixel."""
