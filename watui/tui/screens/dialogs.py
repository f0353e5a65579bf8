"""Small questions over a screen: a file to import, a file to export to, a yes or no."""

from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import DirectoryTree, Input
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from watui.export.formats import format_of
from watui.text import clean, counted
from watui.tui.screens.modal import Modal
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static
from watui.tui.widgets.toggle import Toggle

Answer = TypeVar("Answer")


class FileTree(DirectoryTree):
    """A directory tree that hides dot files and shows names with nothing in them that a terminal would obey."""

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return (path for path in paths if not path.name.startswith("."))

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        return Text(clean(super().render_label(node, base_style, style).plain), style)


class PathDialog(Modal[Answer | None]):
    """Asks for a path; what is wrong with one is said, and can be mended, in place."""

    AUTO_FOCUS = "#path"
    path = query_one("#path", SafeInput)
    hint = query_one("#hint", Static)

    def take(self, given: str) -> None:
        """Close with the path that was given, or say what is wrong with it."""
        try:
            path = Path(given).expanduser()
            problem = self.check(path)
        except (OSError, RuntimeError, ValueError) as error:
            problem = f"That is no path to use: {getattr(error, 'strerror', None) or error}"
        if problem is None:
            self.dismiss(self.answer(path))
        else:
            self.explain(problem)

    def answer(self, path: Path) -> Answer:
        """Return what is given for a path with nothing wrong."""
        raise NotImplementedError

    def check(self, path: Path) -> str | None:
        """Return what is wrong with `path`, None if nothing is."""
        raise NotImplementedError

    def explain(self, words: str) -> None:
        """Say what is wrong."""
        self.hint.update(Content.styled(clean(words), "$text-error"))


class ImportDialog(PathDialog[Path]):
    """Asks for a file; gives its path, or None."""

    def __init__(self, title: str = "Import numbers from a file") -> None:
        super().__init__()
        self._heading = title

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled(self._heading, "bold"))
            yield SafeInput(placeholder="path of a list: .csv, .txt, .xlsx, .vcf …", id="path")
            yield Static(Content("enter reads it · tab goes to the files below · esc goes back"), id="hint")
            yield FileTree(Path.cwd())

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.take(event.value.strip().strip("'\""))
        else:
            self.explain("Type the path of a file, or pick one below.")

    def check(self, path: Path) -> str | None:
        if path.is_dir():
            self.query_one(FileTree).path = path
            return f"{path} is a directory: its files are below"
        return None if path.exists() else f"There is no file {path}"

    def answer(self, path: Path) -> Path:
        return path

    @on(FileTree.FileSelected)
    def pick(self, event: FileTree.FileSelected) -> None:
        self.dismiss(event.path)


_ENDINGS = (
    "The ending says what it becomes:\n"
    ".csv  .jsonl  .xlsx     all rows shown\n"
    ".txt                    a number a line;  …wa_ids.txt  a wa_id a line\n"
    ".json                   the ready body of a check"
)


def free_name(stem: str, suffix: str = ".csv") -> Path:
    """Return a path for a file where there is none yet."""
    names = (f"{stem}{place}{suffix}" for place in chain([""], (f"-{again}" for again in count(2))))
    return next(path for name in names if not (path := Path.cwd() / name).exists())


class Destination(NamedTuple):
    """Where something is written, and how."""

    path: Path
    hides_numbers: bool


class ExportDialog(PathDialog[Destination]):
    """Asks where to write, with a known ending, and whether numbers are hidden."""

    BINDINGS: ClassVar = [Binding("enter", "submit", show=False)]
    NOUN: ClassVar = "row"
    ABOUT: ClassVar = _ENDINGS

    hides_numbers = query_one(Toggle)

    def __init__(self, rows: int, suggestion: Path, problem: str | None = None, *, hides_numbers: bool) -> None:
        """`problem` is why nothing could be written to the path that is suggested."""
        super().__init__()
        self._rows = rows
        self._suggestion = suggestion
        self._problem = problem
        self._hides_numbers = hides_numbers

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled(f"Export the {counted(self._rows, self.NOUN)} shown", "bold"))
            yield SafeInput(str(self._suggestion), id="path", select_on_focus=False)
            yield Static(Content(self.ABOUT), id="endings")
            yield Toggle("hide numbers but for their last three digits", self._hides_numbers)
            yield Static(Content("enter writes · tab next field · esc goes back"), id="hint")

    def on_mount(self) -> None:
        if self._problem is not None:
            self.explain(self._problem)

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Give what was asked for, or say what is wrong with it."""
        self.take(self.path.value.strip())

    def answer(self, path: Path) -> Destination:
        return Destination(path, self.hides_numbers.value)

    def check(self, path: Path) -> str | None:
        if not self.is_known(path):
            return "The name must end in one of these"
        if path.exists():
            return "There is such a file already: choose another name"
        return None if path.parent.is_dir() else f"There is no folder {path.parent}"

    def is_known(self, path: Path) -> bool:
        """Whether the ending of `path` is one that can be written."""
        return format_of(path) is not None


class HarDialog(ExportDialog):
    """Asks where to save exchanges."""

    NOUN = "exchange"
    ABOUT = (
        "As a HAR file (.har), which browsers and other tools show: all that was\n"
        "sent and came, numbers among it; of tokens and passwords only stars."
    )

    def is_known(self, path: Path) -> bool:
        return path.suffix == ".har"


class PlaceDialog(Modal[int | None]):
    """Asks for a place on a list; gives it, from 1, or None."""

    AUTO_FOCUS = "#place"
    place = query_one("#place", SafeInput)
    hint = query_one("#hint", Static)

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled("Go to a place on the list", "bold"))
            yield SafeInput(placeholder=f"1 to {self._total:,}", type="integer", id="place")
            yield Static(Content("enter goes there · esc goes back"), id="hint")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if text.isascii() and text.isdigit() and 1 <= int(text) <= self._total:
            self.dismiss(int(text))
        else:
            self.hint.update(Content.styled(f"The list has places 1 to {self._total:,}", "$text-error"))


class Confirm(Modal[bool | None]):
    """Asks before something that can't be taken back; gives None where that was not answered."""

    BINDINGS = [
        Binding("y", "answer(True)", show=False),
        Binding("n", "answer(False)", show=False),
    ]

    def __init__(self, question: Content, yes: str, no: str = "no, go back") -> None:
        super().__init__()
        self._question = question
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        key = "bold $primary"
        with Vertical(id="dialog"):
            yield Static(self._question)
            yield Static(Content.assemble(("y", key), f" {self._yes}     ", ("n", key), f" {self._no}"))

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
