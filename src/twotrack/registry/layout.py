"""Where the registry keeps its files below the data folder. Paths come from ids, never from names."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True)
class Layout:
    """`home` is the data folder (TWOTRACK_HOME).

    bases/<id>              a base's own files, read-only
    derived/bases/<id>/…    what was made from them and can be made again: tokenizer, conversions
    adapters/<id>           PEFT folders
    derived/adapters/<id>/… their GGUF forms
    exports/<id>            variants exported (release/), read-only
    staging/…               what is being written; moved into place only when whole
    """

    home: Path

    def base(self, base_id: str) -> Path:
        return self.home / "bases" / _checked(base_id)

    def derived(self, base_id: str) -> Path:
        return self.home / "derived" / "bases" / _checked(base_id)

    def adapter(self, adapter_id: UUID) -> Path:
        return self.home / "adapters" / str(adapter_id)

    def derived_adapter(self, adapter_id: UUID) -> Path:
        return self.home / "derived" / "adapters" / str(adapter_id)

    @property
    def exports(self) -> Path:
        return self.home / "exports"

    @property
    def staging(self) -> Path:
        return self.home / "staging"

    def job(self, job_id: UUID) -> Path:
        """Working folder of a job (a training run's data and checkpoints)."""
        return self.home / "jobs" / str(job_id)


def _checked(base_id: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", base_id):
        raise ValueError(f"not a base id: {base_id!r}")
    return base_id
