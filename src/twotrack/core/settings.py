"""Settings of one studio, read once at the edge from the environment.

Core functions take plain arguments; nothing below the edge sees this object.
"""

from pathlib import Path

import platformdirs
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("twotrack", appauthor=False))


class Settings(BaseSettings):
    """TWOTRACK_… environment variables; DATABASE_URL keeps the name that hosting platforms give it."""

    model_config = SettingsConfigDict(env_prefix="TWOTRACK_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=_default_home, description="folder of all data of this studio")
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "TWOTRACK_DATABASE_URL"),
        description="an external PostgreSQL with pgvector, instead of the embedded one",
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8321, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    api_key: SecretStr | None = Field(
        default=None, description="bearer key; required to listen anywhere but on loopback"
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="further Host header names that are answered, as a JSON list"
    )
    memory_budget_mib: int | None = Field(
        default=None, ge=64, description="memory for loaded models, in MiB; by default 70 % of the machine's"
    )
    threads: int | None = Field(default=None, ge=1, description="threads of one engine; by default all cores")
    embedder_key: SecretStr | None = Field(
        default=None, description="API key of the OpenAI-compatible servers that embed"
    )
    qdrant_url: str | None = Field(
        default=None, description="a Qdrant server for collections that keep their vectors there"
    )
    qdrant_key: SecretStr | None = Field(default=None, description="API key of that server")
