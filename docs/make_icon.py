"""Draw the plugin's icon: particles in a slab, the picked ones ringed."""

from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 96
SCALE = 4
PARTICLES = ((30, 34, 13, True), (66, 28, 10, True), (58, 66, 14, True))
SPECKS = ((22, 68, 6), (80, 52, 5), (46, 14, 5), (34, 84, 4))


def draw_icon(path: Path) -> None:
    """Draw large, then reduce, for smooth edges."""
    image = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle(
        _box(SIZE / 2, SIZE / 2, SIZE / 2 - 2), radius=18 * SCALE, fill="#d7dde3"
    )
    for x, y, radius in SPECKS:
        pen.ellipse(_box(x, y, radius), fill="#a9b4bf")
    for x, y, radius, picked in PARTICLES:
        pen.ellipse(_box(x, y, radius * 0.75), fill="#3b4754")
        if picked:
            pen.ellipse(_box(x, y, radius + 3), outline="#e4572e", width=4 * SCALE)
    image.resize((SIZE, SIZE), Image.LANCZOS).save(path)


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = x - radius, y - radius, x + radius, y + radius
    return left * SCALE, top * SCALE, right * SCALE, bottom * SCALE


if __name__ == "__main__":
    draw_icon(Path(__file__).parents[1] / "etpicker_plugin" / "icon.png")
