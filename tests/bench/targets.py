"""The targets as ratios within one run, and what was found."""


def table(rows, memory, counts):
    lines = ["| target | measured | ratio | wanted | |", "|---|--:|--:|--:|---|"]

    def ratio(what, of, to, most):
        top, bottom = rows.median(of), rows.median(to)
        if top is None or bottom is None:
            return
        found = top / bottom
        lines.append(f"| {what} | {top * 1e3:.1f} : {bottom * 1e3:.1f} ms | {found:.2f} | {most} | {'met' if found <= most else 'MISSED'} |")

    def limit(what, found, most, unit):
        lines.append(f"| {what} | {found:.1f} {unit} | | {most} {unit} | {'met' if found <= most else 'MISSED'} |")

    for n in counts:
        ratio(f"{n} host, new connection, the command: to `ssh true`", f"{n} host: holdfast apply", f"{n} host: ssh true, curve", 1.2)
        ratio(f"{n} host, new connection, the controller's turn: to `ssh true`", f"{n} host: controller's turn, fresh", f"{n} host: ssh true, curve", 1.2)
        ratio(f"{n} host, kept session: to the shell's observation", f"{n} host: controller's turn, kept", f"{n} host: shell observation, warm", 0.3 if n == 1 else 0.4)
    ratio("drifted snippet, the command: to CFEngine", "drifted snippet: holdfast apply", "drifted snippet: CFEngine, fresh", 0.5)
    ratio("drifted snippet, the controller's turn: to CFEngine", "drifted snippet: controller's turn, kept", "drifted snippet: CFEngine, fresh", 0.5)
    ratio("first converge, judged by one pass as CFEngine's: to CFEngine", "first converge: holdfast apply, one pass", "first converge: CFEngine, fresh", 0.7)
    ratio("first converge, default health watch: to CFEngine", "first converge: holdfast apply", "first converge: CFEngine, fresh", 0.7)
    for n in counts:
        limit(f"controller's CPU per host and kept turn, {n} host", rows.median(f"{n} host: controller's turn, kept", "cpu") * 1e3 / n, 2, "ms")
        limit(f"controller's memory, {n} host", memory[n][1] / 1024, 40, "MiB")
    return "\n".join(lines)
