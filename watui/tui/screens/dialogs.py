"""Small questions over a screen: a file to import, a file to export to, a yes or no."""

from collections.abc import Iterable
from pathlib import Path

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.screen import ModalScreen
from textual.widgets import DirectoryTree, Input, Static
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from watui.text import clean

_CLOSE = Binding("escape", "close", "back", show=False)


class FileTree(DirectoryTree):
    """A directory tree that hides dot files and shows names with nothing in them that a terminal would obey."""

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return (path for path in paths if not path.name.startswith("."))

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        return Text(clean(super().render_label(node, base_style, style).plain), style)


class ImportDialog(ModalScreen[str | None]):
    """Asks for a file; gives its path, or None."""

    BINDINGS = [_CLOSE]
    path = query_one("#path", Input)
    hint = query_one("#hint", Static)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled("Import numbers from a file", "bold"))
            yield Input(placeholder="path of a .txt, .csv or .tsv file", id="path")
            yield Static(Content("enter imports · tab goes to the files below · esc goes back"), id="hint")
            yield FileTree(Path.cwd())

    def on_mount(self) -> None:
        self.path.cursor_blink = False
        self.path.focus()

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        given = event.value.strip().strip("'\"")
        path = Path(given).expanduser()
        if not given:
            self.hint.update(Content.styled("Type the path of a file, or pick one below.", "$text-warning"))
        elif not path.exists():
            self.hint.update(Content.styled(f"There is no file {clean(str(path))}", "$text-error"))
        elif path.is_dir():
            self.query_one(FileTree).path = path
            self.hint.update(Content(f"{clean(str(path))} is a directory: its files are below"))
        else:
            self.dismiss(str(path))

    @on(FileTree.FileSelected)
    def pick(self, event: FileTree.FileSelected) -> None:
        self.dismiss(str(event.path))

    def action_close(self) -> None:
        self.dismiss(None)


class ExportDialog(ModalScreen[Path | None]):
    """Asks where to write; gives a path with a known ending, or None."""

    BINDINGS = [_CLOSE]
    ENDINGS = (".csv", ".jsonl")
    path = query_one("#path", Input)
    hint = query_one("#hint", Static)

    def __init__(self, rows: int, suggestion: Path) -> None:
        super().__init__()
        self._rows = rows
        self._suggestion = suggestion

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled(f"Export the {self._rows:,} rows shown", "bold"))
            yield Input(str(self._suggestion), id="path", select_on_focus=False)
            yield Static(Content("enter writes · .csv or .jsonl decides the format · esc goes back"), id="hint")

    def on_mount(self) -> None:
        self.path.cursor_blink = False
        self.path.focus()

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        path = Path(event.value.strip()).expanduser()
        if path.suffix.lower() not in self.ENDINGS:
            self.hint.update(Content.styled("The name must end in .csv or .jsonl", "$text-error"))
        elif path.exists():
            self.hint.update(Content.styled("There is such a file already: choose another name", "$text-error"))
        elif not path.parent.is_dir():
            self.hint.update(Content.styled(f"There is no folder {clean(str(path.parent))}", "$text-error"))
        else:
            self.dismiss(path)

    def action_close(self) -> None:
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """Asks before something that can't be taken back."""

    BINDINGS = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
    ]

    def __init__(self, question: Content, yes: str) -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._question)
            yield Static(
                Content.assemble(("y", "bold $primary"), f" {self._yes}     ", ("n", "bold $primary"), " no, go back")
            )

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)
