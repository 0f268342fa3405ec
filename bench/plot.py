# SPDX-License-Identifier: Apache-2.0
"""Small panels of lines as SVG, both axes logarithmic; for the programs beside this one.

A line is {size: value}. Lines have a name, and by it a colour and a shape (Okabe and Ito's, which people tell apart whatever their sight). Nothing is
smoothed."""
import math

PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, BETWEEN_X, BETWEEN_Y = 300, 190, 70, 56, 100, 86
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(value):
    for size, letter in UNITS:
        if value >= size:
            return "%.3g %s" % (value / size, letter)
    return "%.3g" % value


class Axis:
    """Whole decades around the values, on a length in pixels."""

    def __init__(self, values, length):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.length = length

    def at(self, value):
        return (math.log10(value) - self.low) / (self.high - self.low) * self.length

    def decades(self):
        return [10**e for e in range(self.low, self.high + 1)]


def mark(number, x, y):
    colour = COLOURS[number % len(COLOURS)]
    if number % 3 == 0:
        return '<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>' % (x, y, colour)
    if number % 3 == 1:
        return '<rect x="%.1f" y="%.1f" width="8" height="8" fill="%s"/>' % (x - 4, y - 4, colour)
    return '<path d="M%.1f %.1fl5 9h-10z" fill="%s"/>' % (x, y - 5, colour)


def panel(title, lines, names, x0, y0, labels=True):
    """One panel of lines {name: {size: value}}; names: all there are, whose order gives colours and shapes."""
    points = {name: sorted(line.items()) for name, line in lines.items()}
    flat = [point for line in points.values() for point in line]
    out = ['<g transform="translate(%d %d)">' % (x0, y0), '<text x="0" y="-12" class="title">%s</text>' % title]
    if not flat:
        return out + ['<text x="0" y="20">not measured</text>', "</g>"]
    across, up = Axis([size for size, _ in flat], PANEL_WIDTH), Axis([value for _, value in flat], PANEL_HEIGHT)
    for size in across.decades():
        out.append('<path d="M%.1f 0V%d" class="grid"/>' % (across.at(size), PANEL_HEIGHT))
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%s</text>' % (across.at(size), PANEL_HEIGHT + 18, short(size)))
    for value in up.decades():
        y = PANEL_HEIGHT - up.at(value)
        out.append('<path d="M0 %.1fH%d" class="grid"/>' % (y, PANEL_WIDTH))
        out.append('<text x="-8" y="%.1f" text-anchor="end">%s</text>' % (y + 4, short(value)))
    for name, line in points.items():
        number = names.index(name)
        colour = COLOURS[number % len(COLOURS)]
        places = [(across.at(size), PANEL_HEIGHT - up.at(value)) for size, value in line]
        out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>' % (" ".join("%.1f,%.1f" % place for place in places), colour))
        for (x, y), (_, value) in zip(places, line):
            out.append(mark(number, x, y))
            beside = y + 20 if len(lines) > 1 and name == list(lines)[-1] else y - 9  # so that two lines that meet can be read
            if labels:
                out.append('<text x="%.1f" y="%.1f" text-anchor="middle" style="fill:%s">%s</text>' % (x, beside, colour, short(value)))
    return out + ["</g>"]


def picture(title, panels, names, across, labels=True, legend_width=130):
    """The SVG: panels [(title, lines)], two beside each other; names {name: text of the legend}; across: what the sizes are."""
    rows = (len(panels) + 1) // 2
    width, height = LEFT + 2 * PANEL_WIDTH + BETWEEN_X + 30, TOP + rows * PANEL_HEIGHT + (rows - 1) * BETWEEN_Y + 66
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">' % (width, height, width, height),
        "<title>%s</title>" % title,
        "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.grid{stroke:#ddd;fill:none}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for n, (heading, lines) in enumerate(panels):
        out += panel(heading, lines, list(names), LEFT + n % 2 * (PANEL_WIDTH + BETWEEN_X), TOP + n // 2 * (PANEL_HEIGHT + BETWEEN_Y), labels)
    for n, text in enumerate(names.values()):
        out.append(mark(n, LEFT + n * legend_width, height - 18))
        out.append('<text x="%d" y="%d">%s</text>' % (LEFT + n * legend_width + 10, height - 14, text))
    out.append('<text x="%d" y="%d" text-anchor="end">across: %s</text>' % (width - 30, height - 14, across))
    return "\n".join(out + ["</svg>"])
