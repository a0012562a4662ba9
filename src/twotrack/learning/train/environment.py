"""What a child that trains, or measures how training goes, finds in its environment."""

import re

from twotrack.core.processes import ChildOptions, child_options
from twotrack.learning.train.child import ENVIRONMENT

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL|DATABASE_URL", re.IGNORECASE)


def options_of_child() -> ChildOptions:
    """How to spawn it: without the studio's secrets, and with one GPU at most."""
    options = child_options(ENVIRONMENT)
    options["env"] = {name: value for name, value in options["env"].items() if not _SECRET.search(name)}
    # More than one would make transformers split batches among them.
    options["env"].setdefault("CUDA_VISIBLE_DEVICES", "0")
    return options
