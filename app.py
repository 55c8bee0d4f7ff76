"""Starts the AnyStory app: `python app.py`, then open the address it prints."""

from ui.serve import main

if __name__ == "__main__":
    main(program="app.py")
