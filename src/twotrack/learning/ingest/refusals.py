"""Which errors are one document's, so that the others go on, and how the system's own are told to people."""

from twotrack.core.errors import TwotrackError
from twotrack.learning.ingest import errors

OF_THE_DOCUMENT = (
    *(errors.UnreadableDocument, errors.FormatUnknown, errors.DocumentEncrypted, errors.DocumentEmpty),
    *(errors.DocumentTooLarge, errors.TextTooLong, errors.PackageSwollen, errors.AddressRefused),
    *(errors.FetchFailed, OSError),
)
"""An embedder, a store or a disk that fails says it of all."""

PASSING = (errors.FetchFailed, OSError)
"""They say nothing of what stands in the document."""


def worded(error: TwotrackError | OSError, source: str) -> TwotrackError:
    if isinstance(error, TwotrackError):
        return error
    if isinstance(error, FileNotFoundError):
        return errors.DocumentVanished(name=source)
    return errors.DocumentInaccessible(name=source, why=error.strerror or str(error))
