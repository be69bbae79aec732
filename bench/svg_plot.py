"""Line plots with logarithmic axes as SVG: a few panels in rows, one legend."""
import dataclasses
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, GAP, LEFT, TOP = 300, 200, 70, 60, 60  # of a panel, and around it
COLOURS = ("#0b6e99", "#d95f02", "#5aae61", "#9970ab", "#666666")


@dataclasses.dataclass
class Panel:
    title: str
    x: str               # what the axes show
    y: str
    lines: dict          # name -> [(x, y)], all above 0


def text(x, y, words, anchor="middle", size=11, turned=False):
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{turn}>{escape(str(words))}</text>'


def ticks(low, high):
    """1, 2 and 5 times powers of ten within the bounds; only the powers where those are many."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    found = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    found = [value for value in found if low * 0.999 <= value <= high * 1.001]
    return found if len(found) <= 7 else [value for value in found if math.log10(value) % 1 < 1e-9]


class Scale:
    """From values to places, evenly by logarithm."""

    def __init__(self, values, begin, end):
        low, high = min(values), max(values)
        if low == high:
            low, high = low / 2, high * 2
        room = (high / low) ** 0.05
        self.low, self.high, self.begin, self.end = low / room, high * room, begin, end

    def __call__(self, value):
        return self.begin + (self.end - self.begin) * math.log(value / self.low) / math.log(self.high / self.low)


def draw(panel, left, top, colours):
    points = [point for line in panel.lines.values() for point in line]
    parts = [text(left + WIDTH / 2, top - 10, panel.title, size=13),
             f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>']
    if not points:
        return parts + [text(left + WIDTH / 2, top + HEIGHT / 2, "not measured")]
    across = Scale([x for x, _ in points], left, left + WIDTH)
    up = Scale([y for _, y in points], top + HEIGHT, top)
    for value in sorted({x for x, _ in points}):
        parts.append(text(across(value), top + HEIGHT + 15, f"{value:g}", size=10))
    for value in ticks(up.low, up.high):
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{up(value):.1f}" y2="{up(value):.1f}" stroke="#ddd"/>')
        parts.append(text(left - 5, up(value) + 4, f"{value:g}", "end", 10))
    for name, line in panel.lines.items():
        places = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colours[name]}"/>' for x, y in line]
    return parts + [text(left + WIDTH / 2, top + HEIGHT + 32, panel.x), text(left - 42, top + HEIGHT / 2, panel.y, turned=True)]


def svg(rows):
    """Rows of panels as one drawing."""
    names = list(dict.fromkeys(name for row in rows for panel in row for name in panel.lines))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    width = LEFT + max(map(len, rows)) * (WIDTH + GAP)
    height = TOP + len(rows) * (HEIGHT + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, name in enumerate(names):
        parts.append(f'<rect x="{LEFT + 180 * i}" y="12" width="12" height="12" fill="{colours[name]}"/>')
        parts.append(text(LEFT + 180 * i + 18, 22, name, "start", 12))
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            parts += draw(panel, LEFT + j * (WIDTH + GAP), TOP + i * (HEIGHT + GAP), colours)
    return "\n".join(parts + ["</svg>", ""])
