"""A module of the app itself."""


def greeting(name: str) -> str:
    return f"hello from {name}"
