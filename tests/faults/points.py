"""Where programs can be stopped: the failpoints that a transaction hits, and how one of them is armed."""
import collections
import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Point:
    """The `number`-th hit of `name` in a process of this role: "execute", "serve", "recover", "controller"."""
    role: str
    name: str
    number: int

    def __str__(self):
        return f"{self.role}:{self.name}#{self.number}"


def point_from(text):
    role, rest = text.split(":", 1)
    name, number = rest.split("#", 1)
    return Point(role, name, int(number))


class Switch:
    """The file that a program looks at whenever it hits a failpoint."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def beside(self, ending):
        return self.path.with_name(self.path.name + ending)

    def arm(self, *lines):
        self.clear()
        self.path.write_text("".join(f"{line}\n" for line in lines))

    def clear(self):
        """Nothing more is hit; who waits goes on waiting."""
        for path in (self.path, self.beside(".hit"), self.beside(".go"), self.beside(".trace")):
            path.unlink(missing_ok=True)

    def release(self):
        """Who waits goes on, and nothing more is hit."""
        self.path.unlink(missing_ok=True)
        self.beside(".go").touch()

    def hit(self):
        try:
            return self.beside(".hit").read_text().splitlines()
        except FileNotFoundError:
            return []

    def traced(self):
        """Every point that was hit, in order, counted in each process."""
        counts = collections.Counter()
        points = []
        for line in self.beside(".trace").read_text().splitlines():
            role, name, process = line.split()
            counts[process, name] += 1
            points.append(Point(role, name, counts[process, name]))
        return list(dict.fromkeys(points))
