"""Starts the AnyStory app: `python app.py`, then open the address it prints."""

import sys

from ui.serve import main

if __name__ == "__main__":
    sys.exit(main(program="app.py"))
