"""Memory while answering from documents, of all processes but the worker's: no torch in any of them."""

from pathlib import Path

import httpx
import psutil

from benchmarks.measure import Row, at_most
from benchmarks.memory import WORKER
from benchmarks.studio import MODEL, RunningStudio, running_studio, wait_for_job
from twotrack.core.processes import proportional_set_size

_DOCUMENTS = Path(__file__).resolve().parent.parent / "samples" / "documents"
# Document → question. A few documents are enough: what grows with them is the worker's, and it is left out.
_ASKED = {
    "en/council-standing-orders.md": "How many councillors have to be there to decide anything?",
    "ko/arboretum-guide.html": "수목원에 울 강아지 데려가도 되나요?",
}


def run() -> list[Row]:
    with (
        running_studio() as studio,
        httpx.Client(base_url=studio.url, timeout=1800, trust_env=False) as client,
    ):
        for document in _ASKED:
            job = client.post(
                "/api/ingest", json={"collection": "samples", "path": str(_DOCUMENTS / document)}
            )
            job.raise_for_status()
            wait_for_job(client, job.json()["id"])
        for question in _ASKED.values():
            # Both ways, so that every part has done its work: the model writes, and the embedder weighs
            # the sentences that are quoted.
            for mode in ("quote", "write"):
                body = {"question": question, "mode": mode, "variant": MODEL, "max_tokens": 24, "k": 3}
                client.post("/api/rag/invoke", json=body).raise_for_status()
        parts: dict[str, int] = {}
        torch = []
        # What the worker has started takes documents in, and ends when no more come.
        taking_in = {process.pid for process in _workers(studio)}
        for process in studio.processes():
            if process.pid in taking_in:
                continue
            part = _part(process)
            parts[part] = parts.get(part, 0) + proportional_set_size(process.pid)
            if "libtorch" in _maps(process):
                torch.append(part)
    name = "documents_memory"
    return [
        Row(name, "together, while answering", *at_most(sum(parts.values()) / 2**30, 1.5, "GiB")),
        Row(name, "processes with torch in them", str(len(torch)), "0", not torch),
        *(Row(name, part, f"{size / 2**20:.0f} MiB") for part, size in sorted(parts.items())),
    ]


def _workers(studio: RunningStudio) -> list[psutil.Process]:
    found = []
    for process in studio.processes():
        if WORKER in " ".join(process.cmdline()):
            found += [process, *process.children(recursive=True)]
    return found


def _part(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    if "twotrack.embedders" in command:
        return "morphemes (Kiwi)" if "_kiwipiepy" in _maps(process) else "embedder"
    if "twotrack.engines" in command:
        return "engine"
    return "database" if process.name() == "postgres" else "API and its helpers"


def _maps(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/maps").read_text()
