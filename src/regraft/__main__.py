"""python -m regraft"""

from .cli import main

main()
