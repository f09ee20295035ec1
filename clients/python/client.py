#!/usr/bin/env python3
"""Starts the Calculate client from a checkout: ``clients/python/client.py 9`` prints 3.0. ``--help`` says more."""

import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VENV_PYTHON = os.path.join(HERE, ".venv", "bin", "python")


def start() -> int:
    sys.path.insert(0, os.path.join(HERE, "src"))
    # Only a registry's client needs kazoo.
    needed = ["thrift", "kazoo"] if any("zk://" in argument for argument in sys.argv) else ["thrift"]
    missing = [library for library in needed if importlib.util.find_spec(library) is None]
    if missing:
        # sys.prefix, not sys.executable: a venv's python is a link to the one that made it.
        if os.path.exists(VENV_PYTHON) and sys.prefix != os.path.join(HERE, ".venv"):
            os.execv(VENV_PYTHON, [VENV_PYTHON, os.path.abspath(__file__), *sys.argv[1:]])
        print(
            f"client.py: this Python has no '{missing[0]}' library; run 'python3 -m venv {HERE}/.venv && "
            f"{HERE}/.venv/bin/pip install {HERE}', then try again",
            file=sys.stderr,
        )
        return 1
    from calculate.cli import main

    return main()


if __name__ == "__main__":
    try:
        sys.exit(start())
    except KeyboardInterrupt:
        sys.exit(130)
