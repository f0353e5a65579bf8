"""What a person has chosen. Flags beat environment (`WATUI_…`) beat `settings.toml` beat defaults."""

import fcntl
import logging
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec

from watui.contract.kinds import ServerKind
from watui.contract.models import Blocking
from watui.contract.rules import DEFAULT_BATCH_SIZE, MAX_BATCH_SIZE
from watui.files import CannotWrite, write_whole

ENVIRONMENT_PREFIX = "WATUI_"

_MOST_DIGITS = 9

_LOGGER = logging.getLogger(__name__)

HEADING = "# Settings of watui. A setting behind a # has its default value; take the # away to change it."


SIMULATOR = "simulator"
"""The profile that is always there: the embedded simulator."""


Colour = Literal["red", "yellow", "green", "blue"]
COLOURS: tuple[str, ...] = get_args(Colour)


LowBandwidth = Literal["auto", "on", "off"]
Notice = Literal["bell", "title", "desktop", "off"]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server and how it is used: one `[profiles.NAME]` of `settings.toml`."""

    url: Annotated[str | None, msgspec.Meta(description="Base URL of the server.")] = None
    region: Annotated[
        str | None,
        msgspec.Meta(
            description="Country of the number that the server is registered with; without one that of the settings."
        ),
    ] = None
    read_only: Annotated[bool, msgspec.Meta(description="Whether contacts are only looked at.")] = False
    kind: Annotated[
        ServerKind, msgspec.Meta(description="What answers there: own, turn, 360dialog, whapi or unoapi.")
    ] = ServerKind.OWN
    user: Annotated[
        str | None,
        msgspec.Meta(description="User to log in as, for a token that lasts 7 days. Without one a token is kept."),
    ] = None
    rate: Annotated[
        Annotated[float, msgspec.Meta(ge=0.01, le=1000)] | None,
        msgspec.Meta(description="Requests a second at most; without one what servers of the kind allow."),
    ] = None
    batch_size: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=MAX_BATCH_SIZE)] | None,
        msgspec.Meta(description="Numbers in one request; without one that of the settings."),
    ] = None
    budget: Annotated[
        bool,
        msgspec.Meta(
            description="Whether the calls of checks, polls included, are held to the messages sent: see watui budget."
        ),
    ] = False
    ca_file: Annotated[
        str | None, msgspec.Meta(description="File with the certificate authorities (PEM) to trust, and no others.")
    ] = None
    certificate: Annotated[
        str | None,
        msgspec.Meta(description="The one certificate (PEM) that the server must show: watui profiles trust pins it."),
    ] = None
    proxy: Annotated[
        str | None,
        msgspec.Meta(description="URL of a proxy to go through, or none; without one what HTTPS_PROXY says."),
    ] = None
    word: Annotated[
        Annotated[str, msgspec.Meta(max_length=20)] | None,
        msgspec.Meta(description="A word that stands on every screen, such as PRODUCTION."),
    ] = None
    colour: Annotated[
        Colour | None, msgspec.Meta(description="Colour of the profile on every screen: red, yellow, green or blue.")
    ] = None


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
        msgspec.Meta(
            description="Theme of the console: watui-dark, watui-light, watui-contrast, watui-ansi (the terminal's own"
            " colours), or any that the palette offers. Where NO_COLOR is set, watui-ansi without its colours."
        ),
    ] = "watui-dark"
    profile: Annotated[
        str, msgspec.Meta(description="Profile to use where none is named: simulator, or one of those below.")
    ] = SIMULATOR
    read_only: Annotated[
        bool,
        msgspec.Meta(
            description="Whether contacts are only looked at: nobody is blocked, unblocked, reported or acknowledged,"
            " whatever the profile."
        ),
    ] = False
    retention_days: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            description="Days after which ended runs and changes are forgotten when the console starts; 0 for never.",
        ),
    ] = 0
    log_numbers: Annotated[
        bool,
        msgspec.Meta(
            description="Whether the log holds numbers, with all that is said to servers and by them; secrets never."
        ),
    ] = False
    low_bandwidth: Annotated[
        LowBandwidth,
        msgspec.Meta(
            description="Whether the console paints less often, and nothing that moves: on, off, or auto (over SSH)."
        ),
    ] = "auto"
    notice: Annotated[
        Notice,
        msgspec.Meta(
            description="How the console tells the end of a run that took long: bell, title (of the window), desktop"
            " (OSC 9, where the terminal knows that), or off."
        ),
    ] = "bell"
    keys: Annotated[
        dict[str, str],
        msgspec.Meta(
            description="Other keys for the console, in a table: a command's name and its keys, with commas between."
        ),
    ] = msgspec.field(default_factory=dict)
    profiles: Annotated[
        dict[str, Profile],
        msgspec.Meta(
            description="Servers by name, each in a table of its own at the end of the file; what a profile may hold"
            " stands below."
        ),
    ] = msgspec.field(default_factory=dict)


def descriptions(of: type[Settings] | type[Profile] = Settings) -> dict[str, tuple[str, str]]:
    """Return what every setting, or every member of a profile, is for, and its default value for people, by name."""
    described = {}
    for field in msgspec.structs.fields(of):
        (meta,) = (part for part in get_args(field.type) if isinstance(part, msgspec.Meta))
        default = "none" if field.default in (msgspec.NODEFAULT, None) else str(_toml(field.default)).strip('"')
        described[field.name] = (meta.description or "", default)
    return described


def template() -> str:
    """Return a `settings.toml` in which every setting is described and none is changed."""
    lines = [HEADING]
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    for name, (description, _) in descriptions().items():
        words = textwrap.wrap(description, 100, initial_indent="# ", subsequent_indent="# ")
        lines += ["", *words, *(_PROFILE if name == "profiles" else [f"# {name} = {_toml(defaults[name])}"])]
    return "\n".join(lines) + "\n"


_PROFILE = ("# [profiles.production]", '# url = "https://wa.example.com:9090"', '# region = "DE"', "# read_only = true")
"""How a profile is written."""


def _toml(value: object) -> object:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else value


class BadSettings(Exception):
    """A file or variable that can't be used; the message names it and says why."""


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of `path`, of which `environment` overrides some. Raises BadSettings."""
    chosen = _from_file(path)
    for name in Settings.__struct_fields__:
        if value := environment.get(ENVIRONMENT_PREFIX + name.upper()):
            chosen[name] = _from_text(name, value)
    try:
        settings = msgspec.convert(chosen, Settings)
    except msgspec.ValidationError as error:
        name = str(error).rstrip("`").partition(" - at `$.")[2]
        variable = ENVIRONMENT_PREFIX + name.upper()
        source = (
            f"{variable} (setting {name})" if name and environment.get(variable) else f"{path}{name and ': '}{name}"
        )
        raise BadSettings(f"{source}: {in_words(error)}") from error
    if (profile := settings.profiles.get(SIMULATOR)) is not None and profile.url is not None:
        raise BadSettings(f"{path}: the profile {SIMULATOR} is the embedded simulator: give a server another name")
    return settings


def set_aside(path: Path) -> Path:
    """Move a file that can't be used out of the way, and return where it is now. Raises BadSettings."""
    taken = (path.with_name(f"{path.name}.bad{place or ''}") for place in count())
    aside = next(other for other in taken if not other.exists())
    try:
        path.rename(aside)
    except OSError as error:
        raise BadSettings(f"cannot move {path} out of the way: {error.strerror}") from error
    return aside


Value = str | int | float | bool


def parse(of: type[Settings] | type[Profile], name: str, text: str) -> Value:
    """Return what a person has typed as the value of a setting, or of a member of a profile. Raises BadSettings."""
    kind = next(field.type for field in msgspec.structs.fields(of) if field.name == name)
    try:
        value: Value = msgspec.to_builtins(msgspec.convert(text, kind, strict=False))
    except msgspec.ValidationError as error:
        raise BadSettings(f"{name}: {in_words(error)}") from error
    return value


_WRONG = re.compile(r"Expected `(float|int|bool|str)\b[^`]*`(?: of length)?(?: ([<>]=) (\S+))?(?:, got .*)?")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_KINDS = {"float": "a number", "int": "a whole number", "bool": "true or false", "str": "a text"}


def in_words(error: msgspec.ValidationError) -> str:
    """Return what is wrong with a value, without the place where it stands."""
    words = str(error).partition(" - at `$")[0]
    if (unknown := _UNKNOWN.fullmatch(words)) is not None:
        hint = "; keys of commands stand under [keys]" if "." in unknown[1] else ""
        return f"nothing there is called {unknown[1]}{hint}"
    wrong = _WRONG.fullmatch(words)
    if wrong is None:
        return f"{words[0].lower()}{words[1:]}".replace("`", "")
    kind, sign, bound = wrong.groups()
    least_or_most = {"<=": "at most", ">=": "at least"}.get(sign or "", "")
    if not least_or_most:
        return f"it is {_KINDS[kind]}"
    return f"it has {least_or_most} {bound} characters" if kind == "str" else f"it is {least_or_most} {bound}"


def choices(of: type[Settings] | type[Profile], name: str) -> tuple[str, ...]:
    """Return the values that a setting, or a member of a profile, can have; none where there are too many to say."""
    kind = next(field.type for field in msgspec.structs.fields(of) if field.name == name)
    schema: dict[str, Any] = msgspec.json.schema(kind)
    parts = [schema, *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
    if any(part.get("type") == "boolean" for part in parts):
        return ("true", "false")
    return next((tuple(filter(None, part["enum"])) for part in parts if "enum" in part), ())


def save(path: Path, name: str, value: Value | None) -> None:
    """Write one setting into `path`, or take it out for None, keeping every other line as it is.

    Raises BadSettings where that fails.
    """

    def change(document: MutableMapping[str, Any]) -> None:
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value

    _rewrite(path, change)
    _LOGGER.info("setting %s is changed", name)


def save_profile(path: Path, name: str, members: Mapping[str, Value | None]) -> None:
    """Write members of a profile into `path`, keeping every other line; what is None is taken out.

    A profile that was not there is added. Raises BadSettings, also where the profile would be one that can't be used.
    """
    if name == SIMULATOR and members.get("url") is not None:
        raise BadSettings(f"the profile {SIMULATOR} is the embedded simulator: give a server another name")

    def change(document: MutableMapping[str, Any]) -> str | None:
        import tomlkit

        profile = document.setdefault("profiles", _table(is_super=True)).setdefault(name, _table())
        added: dict[str, Any] = {}
        for member, value in members.items():
            if value is None:
                profile.pop(member, None)
            else:
                (profile if member in profile else added)[member] = _written(value)
        text = _with_lines(tomlkit.dumps(document), name, tomlkit.dumps(added))
        profile.update(added)
        to_profile(profile.unwrap())
        return text if _means(text, document) else None

    _rewrite(path, change)
    _LOGGER.info("profile %s is changed: %s", name, ", ".join(members))


def remove_profile(path: Path, name: str) -> None:
    """Take a profile out of `path`, keeping every other line. Raises BadSettings where that fails."""

    def change(document: MutableMapping[str, Any]) -> str | None:
        import tomlkit

        if document.get("profile") == name:
            document.pop("profile")
        text = _without_profile(tomlkit.dumps(document), name)
        profiles = document.get("profiles", {})
        profiles.pop(name, None)
        if not profiles:
            document.pop("profiles", None)
        return text if _means(text, document) else None

    _rewrite(path, change)
    _LOGGER.info("profile %s is removed", name)


def _without_profile(text: str, name: str) -> str:
    """Return `text` without the lines of a profile."""
    lines = text.splitlines(keepends=True)
    first, end = _lines_of(lines, name)
    return "".join(lines[:first] + lines[end:])


def _with_lines(text: str, name: str, more: str) -> str:
    """Return `text` with `more` lines at the end of a profile's own."""
    lines = text.splitlines(keepends=True)
    _, end = _lines_of(lines, name)
    return "".join([*lines[:end], more, *lines[end:]])


def _lines_of(lines: Sequence[str], name: str) -> tuple[int, int]:
    """Return where the lines of a profile begin and end; comments behind them belong to what follows."""
    first = next((place for place, line in enumerate(lines) if _is_header(line, name)), len(lines))
    rest = range(first + 1, len(lines))
    end = next((place for place in rest if lines[place].lstrip().startswith("[")), len(lines))
    while end > first + 1 and lines[end - 1].strip()[:1] in ("", "#"):
        end -= 1
    return first, end


def _is_header(line: str, name: str) -> bool:
    return line.lstrip().startswith("[") and _means(line, {"profiles": {name: {}}})


def _means(text: str, document: Mapping[str, Any]) -> bool:
    """Whether `text` is TOML that says what `document` does."""
    import tomllib

    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def to_profile(members: Mapping[str, Any]) -> Profile:
    """Return the profile that has these members; None stands for one that it has not. Raises BadSettings."""
    try:
        return msgspec.convert({name: value for name, value in members.items() if value is not None}, Profile)
    except msgspec.ValidationError as error:
        member = str(error).rstrip("`").partition(" - at `$.")[2]
        raise BadSettings(f"{member or 'the profile'}: {in_words(error)}") from error


def _table(*, is_super: bool = False) -> MutableMapping[str, Any]:
    import tomlkit

    return tomlkit.table(is_super)


def _written(value: Value) -> Any:
    """Return `value` as tomlkit writes it for people: a text of several lines on several lines."""
    import tomlkit

    has_lines = isinstance(value, str) and "\n" in value and "\r" not in value
    return tomlkit.string(str(value), multiline=True) if has_lines else value


def _rewrite(path: Path, change: Callable[[MutableMapping[str, Any]], str | None]) -> None:
    """Let `change` change what is in `path`, one writer after the other; it may return the text to write."""
    import tomlkit

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone_in(path.parent):
            document = tomlkit.parse(path.read_bytes().decode("utf-8-sig") if path.exists() else template())
            text = change(document) or tomlkit.dumps(document)
            if not _means(text, document):
                raise ValueError("the change does not fit into how it is written: make it by hand")
            write_whole(path, [text], replace=True)
    except (OSError, ValueError, CannotWrite, RecursionError) as error:
        raise BadSettings(f"cannot write {path}: {error}") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes in a folder, which takes a moment at most; the lock goes with the process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _from_text(name: str, value: str) -> object:
    """Return the value of a variable; what is none for its setting stays a text, which is refused by its type."""
    if name in ("batch_size", "retention_days") and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    if name in ("read_only", "log_numbers"):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    return value


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
        import tomllib

        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise BadSettings(f"cannot read {path}: {error}") from error
