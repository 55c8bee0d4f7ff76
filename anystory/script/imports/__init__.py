"""Scripts of other programs, each kind taken apart in a module of its own: as `anystory.script.form.Parsed`."""
