"""Scripts for other programs, each kind in a module of its own."""
