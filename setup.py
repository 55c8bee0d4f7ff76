"""What `pyproject.toml` cannot say of the installed package: the checkout's `assets/` becomes the package's own folder,
and `ui/`, which lies beside `anystory/`, comes along."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["anystory", "anystory.*", "ui", "ui.*"]), "anystory.assets"],
    package_dir={"anystory.assets": "assets"},
    package_data={
        "anystory": ["py.typed"],
        "": ["*.yaml", "*.tsv", "*.txt", "*.svg"],
        "ui": ["css/*.css", "js/*.js"],
        "anystory.assets": ["**/*"],
    },
    # What the files were made with, and the pictures of the model's card.
    exclude_package_data={"anystory.assets": ["**/*.py", "mini/*.png", "mini/*.webp"]},
)
