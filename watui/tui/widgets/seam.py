"""Edges where Textual may begin to paint."""

from watui.tui.widgets.ground import Ground

STEP = 16
"""Columns: about what two changes take that are told apart, such as a count and a rate."""


class Seam(Ground):
    """Lies unseen below what changes often, so that it is painted alone.

    Textual paints a line from the nearest edge of a widget on, not from where it has changed. What has seams below its
    children gives them a layer: `layers: below default`.
    """

    DEFAULT_CSS = """
    Seam {
        layer: below;
        position: absolute;
        height: 100%;
    }
    """

    def lay(self, x: int, width: int) -> None:
        """Have an edge at `x`, and one `width` columns on."""
        self.styles.offset = (x, 0)
        self.styles.width = width


def seams(width: int) -> list[Seam]:
    """Return seams with an edge every STEP columns, for a line of up to `width`."""
    found = []
    for x in range(STEP, width, 2 * STEP):
        found.append(seam := Seam())
        seam.lay(x, STEP)
    return found
