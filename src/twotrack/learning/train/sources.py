"""What a run learns from: bytes that came with the request, or data sets, copied into its folder."""

from uuid import UUID

from twotrack.core.database import Database
from twotrack.core.folders import disk_errors, write_whole
from twotrack.core.language import Text
from twotrack.learning.data import tables
from twotrack.learning.data.copying import copy_lines
from twotrack.learning.data.schemas import DataSet, UsedData
from twotrack.learning.train.errors import RecipeInvalid
from twotrack.learning.train.plan import RunFolder
from twotrack.registry.layout import Layout
from twotrack.registry.storage import in_thread, require_space


class Sources:
    """`find`, `check`, then `keep`."""

    def __init__(self, data: bytes | None, data_id: UUID | None, held_out_id: UUID | None) -> None:
        self._data = data
        self._ids = data_id, held_out_id
        self._sets: list[DataSet | None] = [None, None]

    def check(self) -> None:
        """
        Raises:
            RecipeInvalid: no data, or data twice, or the same to learn and to be judged by.
        """
        data_id, held_out_id = self._ids
        if self._data is None and data_id is None:
            raise RecipeInvalid(field="data", why=Text("it is missing", "꼭 필요합니다"))
        if self._data is not None and data_id is not None:
            why = Text("there is data besides it", "data와 함께 쓸 수 없습니다")
            raise RecipeInvalid(field="data_id", why=why)
        if held_out_id is not None and held_out_id == data_id:
            why = Text("it is what is learned, too", "학습할 데이터와 같습니다")
            raise RecipeInvalid(field="held_out_id", why=why)

    async def find(self, database: Database, *, of: UUID | None) -> None:
        """
        Raises:
            DataSetNotFound: there is none, or it is not `of` that owner.
        """
        async with database.transaction() as connection:
            self._sets = [
                None if one is None else await tables.get(connection, one, of=of) for one in self._ids
            ]

    async def keep(self, layout: Layout, folder: RunFolder) -> tuple[UsedData | None, UsedData | None]:
        """Make the run's folder and put the data into it; what was taken of data sets.

        Raises:
            DiskFull, FolderUnusable
            BrokenLine, DataTooLarge, NoSamples, ColumnsUnknown, …: see learning/data/errors.py.
        """
        learned, held_out = self._sets
        needed = len(self._data or b"") + sum(one.size for one in self._sets if one is not None)
        with disk_errors(folder.path, "the data"):
            require_space(layout.home, needed, "the data")
            folder.path.mkdir(parents=True)
            if self._data is not None:
                await in_thread(write_whole, folder.data, self._data.decode())
        return (
            None if learned is None else await copy_lines(layout, learned, folder.data),
            None if held_out is None else await copy_lines(layout, held_out, folder.held_out),
        )
