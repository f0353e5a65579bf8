"""What a person has chosen. Flags beat environment (`WATUI_…`) beat `settings.toml` beat defaults."""

import os
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec

from watui.contract.models import Blocking
from watui.contract.rules import DEFAULT_BATCH_SIZE, MAX_BATCH_SIZE
from watui.files import CannotWrite, write_whole

ENVIRONMENT_PREFIX = "WATUI_"

_MOST_DIGITS = 9

HEADING = "# Settings of watui. A setting behind a # has its default value; take the # away to change it."


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting, with what stands beside it in `settings.toml`."""

    region: Annotated[
        str,
        msgspec.Meta(
            description="Country of the number that the server is registered with, in two letters."
            " A number without a leading + gets its country code."
        ),
    ] = "US"
    batch_size: Annotated[
        int, msgspec.Meta(ge=1, le=MAX_BATCH_SIZE, description="Numbers in one request, 1 to 1000.")
    ] = DEFAULT_BATCH_SIZE
    blocking: Annotated[
        Blocking,
        msgspec.Meta(description="no_wait (answers come at once, then polls) or wait (when every number is decided)."),
    ] = "no_wait"
    theme: Annotated[
        str,
        msgspec.Meta(description="Theme of the console: watui-dark, watui-light, or any that the palette offers."),
    ] = "watui-dark"


def descriptions() -> dict[str, tuple[str, object]]:
    """Return description and default of every setting, by name."""
    described = {}
    for field in msgspec.structs.fields(Settings):
        (meta,) = (part for part in get_args(field.type) if isinstance(part, msgspec.Meta))
        described[field.name] = (meta.description or "", field.default)
    return described


def template() -> str:
    """Return a `settings.toml` in which every setting is described and none is changed."""
    lines = [HEADING]
    for name, (description, default) in descriptions().items():
        value = f'"{default}"' if isinstance(default, str) else default
        words = textwrap.wrap(description, 100, initial_indent="# ", subsequent_indent="# ")
        lines += ["", *words, f"# {name} = {value}"]
    return "\n".join(lines) + "\n"


class BadSettings(Exception):
    """A file or variable that can't be used; the message names it and says why."""


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of `path`, of which `environment` overrides some. Raises BadSettings."""
    chosen = _from_file(path)
    for name in Settings.__struct_fields__:
        if value := environment.get(ENVIRONMENT_PREFIX + name.upper()):
            is_number = value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
            chosen[name] = int(value) if name == "batch_size" and is_number else value
    try:
        return msgspec.convert(chosen, Settings)
    except msgspec.ValidationError as error:
        words, _, name = str(error).rstrip("`").partition(" - at `$.")
        variable = ENVIRONMENT_PREFIX + name.upper()
        source = (
            f"{variable} (setting {name})" if name and environment.get(variable) else f"{path}: {name or 'a setting'}"
        )
        raise BadSettings(f"{source}: {words}") from error


def save(path: Path, name: str, value: str | int) -> None:
    """Write one setting into `path`, keeping every other line as it is. Raises BadSettings where that fails."""
    import tomlkit

    try:
        document = tomlkit.parse(path.read_bytes().decode("utf-8-sig") if path.exists() else template())
        document[name] = value
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, [tomlkit.dumps(document)], replace=True)
    except (OSError, ValueError, CannotWrite) as error:
        raise BadSettings(f"cannot write {path}: {error}") from error


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadSettings(f"cannot read {path}: {error}") from error
