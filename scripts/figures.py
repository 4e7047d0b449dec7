#!/usr/bin/env python3
"""Writes the figures of the documents from the results of the benches, which lie in docs/evidence/figures.

    figures.py           writes every block between <!-- figures NAME --> and <!-- /figures --> anew
    figures.py --list    what is written by hand and comes from a bench: file and line, the row, and what the results say now

To measure all of it anew, on a machine at rest:

    for kind in spawn supervisor; do ./x bench $kind --json docs/evidence/figures/$kind.json --svg docs/img; done
    ./x bench spawn --parts --json docs/evidence/figures/parts.json
    ./x bench spawner --json docs/evidence/figures/spawner.json
    scripts/figures.py; scripts/figures.py --list

`./x check figures` holds the blocks against the results."""
import json
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs/evidence/figures"
BLOCK = re.compile(r"(<!-- figures (\S+) -->\n).*?(<!-- /figures -->)", re.DOTALL)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class Results:
    """One results file."""

    def __init__(self, kind):
        self.data = json.loads((RESULTS / f"{kind}.json").read_text())
        self.machine = self.data["machine"]
        self.methods = {method["id"]: method for method in self.data["methods"]}
        self.rows = {row["id"]: row for row in self.data["results"]}

    def curve(self, name, method, x):
        curves = next(curves for curves in self.data["curves"] if curves["name"] == name)
        line = next(line for line in curves["lines"] if line["id"] == method)
        return line["y"][curves["x"].index(x)]

    def where(self):
        machine = self.machine
        kernel = ".".join(machine["kernel"].split(".")[:2])
        kind = "a virtual machine" if machine["virtual_machine"] else "a machine"
        cpus = machine["cpus"]
        return f"Linux {kernel}, {machine['arch']}, {kind} with {word(cpus)} CPU{'s' if cpus != 1 else ''}"


def word(number):
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def grouped(number, digits=0):
    return "" if number is None else f"{number:,.{digits}f}".replace(",", " ")


def three(number):
    """Three digits that mean something."""
    return "" if number is None else grouped(number if number < 1000 else float(f"{number:.3g}"))


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def text(words):
    return textwrap.fill(words, 140, break_long_words=False, break_on_hyphens=False)


def spawn_methods():
    spawn = Results("spawn")
    names = (
        ("procsup", "**procsup**"),
        ("floor", "clone3 written in C, nothing else"),
        ("vfork", "vfork"),
        ("posix_spawn", f"posix_spawn (glibc {spawn.machine['glibc']})"),
        ("libuv", f"libuv {spawn.machine['libuv']}"),
        ("std", "Rust std"),
        ("fork", "fork"),
        ("glib", f"GLib {spawn.machine['glib']}"),
    )
    columns = ("median_us", "most_descriptors_us", "most_memory_us")
    rows = [[name, *(grouped(spawn.methods[id][column]) for column in columns)] for id, name in names if id in spawn.methods]
    return table(("method", "small host", "15 000 open descriptors", "2 GiB resident"), rows)


def spawn_where():
    spawn = Results("spawn")
    found, swept = spawn.rows["P5"]["ours_us"], spawn.rows["P5-sweep"]["other_us"]
    return text(
        f"{spawn.where()}, all on one of them. Compare inside the table, not with other machines; "
        "[bench/README.md](bench/README.md) says how it is measured. With 8 000 live children a spawn takes "
        f"{spawn.rows['P4']['value']:.2f} of what it takes with none. One exit among 8 000 children is found and reaped in "
        f"{grouped(found)} us; asking each child with `waitpid` takes {three(swept)} us."
    )


def spawn_hosts():
    spawn = Results("spawn")
    methods = ("procsup", "floor", "posix_spawn", "fork")
    few = [spawn.curve("spawn-descriptors", id, 10.0) for id in methods]
    hosts = [("10 descriptors, little memory", few)]
    for name, column in (("15 000 descriptors", "most_descriptors_us"), ("2 GiB resident", "most_memory_us")):
        hosts.append((name, [spawn.methods[id][column] for id in methods]))
    hosts.append(("8 000 live children", [spawn.rows["P4"]["ours_us"], None, None, None]))
    rows = [[name, *(grouped(us, 1) for us in figures)] for name, figures in hosts]
    return table(("host", "procsup", "raw clone3 in C", "posix_spawn", "fork"), rows)


def spawn_parts():
    parts = Results("parts")
    rows = []
    for row in parts.data["methods"]:
        noise = row["added_noise_us"]
        added = "" if noise is None else f"{row['added_us']:+.1f} ({noise['low']:+.1f} to {noise['high']:+.1f})"
        label = row["label"].strip()
        rows.append([f"**{label}**" if row["id"] == "procsup" else label, grouped(row["median_us"], 1), f"{row['ratio']:.2f}", added])
    return table(("", "us", "to the first", "added (95 of 100)"), rows)


def supervisor_exits():
    supervisor = Results("supervisor")
    rows = []
    for method in supervisor.data["methods"]:
        if method["exits"]:
            rate = None if method["burst_us"] is None else 1e6 / method["burst_us"]
            name = "**procsup**" if method["id"] == "procsup" else method["label"]
            rates = [three(among["per_second"]) for among in method["exits"]]
            rows.append([name, *rates, three(rate), grouped(method["bytes_per_child"])])
    levels = [f"{grouped(among['children'])} children" for among in supervisor.methods["procsup"]["exits"]]
    return table(("exits per second", *levels, "of 8 000, 100 at once", "bytes for each child"), rows)


def supervisor_adds():
    supervisor = Results("supervisor")
    ours, floor = supervisor.methods["procsup"]["exits"], supervisor.methods["floor"]["exits"]
    added = [one["median_us"] - other["median_us"] for one, other in zip(ours, floor)]
    sweep = supervisor.methods["sweep"]["exits"][-1]
    each = (sweep["median_us"] - floor[-1]["median_us"]) / sweep["children"]
    few = ours[0]["per_second"] / supervisor.methods["sweep"]["exits"][0]["per_second"]
    return (
        f"- What procsup adds to it stays nearly the same, {added[0]:.0f} us among 10 children, {added[-1]:.0f} among 8 000. Each child is a pidfd\n"
        "  in an epoll set, so the kernel says which one it was.\n"
        "- A sweep asks `waitpid` about every child after each SIGCHLD, and libuv does the same:\n"
        f"  {each:.1f} us for each child. Among ten procsup takes {few:.2f} times as many exits as a sweep."
    )


def supervisor_calls():
    row = Results("supervisor").rows.get("P14-term-calls")
    if row is None or row["value"] is None:
        return "How many system calls one exit takes was not counted in this run."
    calls = ", ".join(f"`{call}`" for call in row["note"].split())
    return text(f"One exit in an event loop is {word(int(row['value']))} system calls, however many children there are: {calls}. (The first is the host's.)"
        " After a SIGKILL that procsup did not send it also looks whether the machine was short of memory: `/proc/vmstat`.")


def supervisor_storm():
    supervisor = Results("supervisor")
    storms = supervisor.methods["procsup"]["storms"]
    header = [f"{grouped(storms[0]['jobs'])} jobs, {storms[0]['slots']} slots"]
    for storm in storms:
        header += [f"jobs/s {storm['place']}", "wall ms"]
    rows = []
    for method in supervisor.data["methods"]:
        figures = {storm["place"]: storm for storm in method["storms"]}
        if figures:
            name = "**procsup**" if method["id"] == "procsup" else method["label"]
            cells = []
            for storm in storms:
                one = figures.get(storm["place"])
                cells += [three(one["per_second"]), grouped(one["wall_ms"])] if one else ["", ""]
            rows.append([name, *cells])
    return table(header, rows)


def limits(kind, ids):
    """Of these rows: value, where chance would have put it, limit."""
    results, rows = Results(kind), []
    for id in ids:
        row = results.rows.get(id)
        if row is None or row["limit"] is None:
            continue
        digits = {"ratio": 2, "us": 1}.get(row["unit"], 0)
        noise = row.get("noise")
        chance = f"{grouped(noise['low'], digits)} to {grouped(noise['high'], digits)}" if noise else ""
        limit = f"{'at most' if row['limit_kind'] == 'max' else 'at least'} {row['limit']:g}"
        verdict = ("" if row["pass"] else ", **missed**") + (", within chance" if row.get("below_noise") else "")
        what = row["what"]
        rows.append([f"{id}: {what}", grouped(row["value"], digits), chance, limit + verdict])
    return table(("", "value", "95 of 100", "limit"), rows)


def spawn_limits():
    spawn = Results("spawn")
    return limits("spawn", spawn.rows)


def supervisor_limits():
    return limits("supervisor", [id for id in Results("supervisor").rows if id.startswith("P1")])


def spawner_calls():
    spawner = Results("spawner")
    names = {"spawner": "**procsup**, with a spawner", "direct": "**procsup**, directly"}
    rows = []
    for method in spawner.data["methods"]:
        figures = [grouped(method["call_p50_us"], 1), grouped(method["call_p99_us"], 1), grouped(method["job_us"], 1)]
        rows.append([names.get(method["id"], method["label"]), *figures, grouped(1e6 / method["job_us"])])
    calls = table(("", "call p50, us", "call p99, us", "one job, us", "jobs a second"), rows)
    return calls + "\n\n" + limits("spawner", spawner.rows)


BLOCKS = {
    "spawn-methods": spawn_methods,
    "spawn-where": spawn_where,
    "spawn-hosts": spawn_hosts,
    "spawn-parts": spawn_parts,
    "spawn-limits": spawn_limits,
    "supervisor-exits": supervisor_exits,
    "supervisor-adds": supervisor_adds,
    "supervisor-calls": supervisor_calls,
    "supervisor-storm": supervisor_storm,
    "supervisor-limits": supervisor_limits,
    "spawner-calls": spawner_calls,
}

# By hand: a document, words of the line, the bench and the row (`ours`, `other`: of its two medians) or how to measure it.
BY_HAND = (
    ("docs/reference/spawn.md", "18 to 50 ms for each GiB resident", "spawn", "fork: (most_memory_us - median_us) / 2"),
    ("docs/reference/spawn.md", "us for each 1 000 open descriptors", "spawn", "posix_spawn: (most_descriptors_us - median_us) / 15"),
    ("docs/reference/spawn.md", "of a spawn of 88 us in plain C", "parts", "status stat ask-31 reset-29"),
    ("docs/reference/spawn.md", "with 1 GiB resident 0.2 ms in place of 78", "", "docs/evidence/commands.md, own ids"),
    ("docs/architecture.md", "It costs the host an exec, some 100 us", "spawn", "P1 ours"),
    ("docs/architecture.md", "At 15 000 open descriptors it takes thirteen times as long", "spawn", "P3-posix_spawn"),
    ("docs/guide/README.md", "where other spawns take 0.1 ms", "spawn", "P1 ours"),
    ("docs/guide/containment.md", "one of a static program takes 215 us", "", "a command with Landlock paths: bench cycle, no row"),
    ("docs/evidence/commands.md", "P1, spawn to reap, beside the floor in C", "spawn", "P1"),
    ("docs/evidence/commands.md", "P7, system calls of the host and of the child", "spawn", "P7-parent"),
    ("docs/evidence/commands.md", "1.12 of a floor in C with the same namespaces", "spawn", "P1-contained"),
    ("docs/evidence/size.md", "**3.64 MB stripped", "", "scripts/size.py LIBRARY"),
    ("docs/evidence/size.md", "dlopen takes", "", "scripts/size.py LIBRARY cc"),
    ("docs/evidence/preloader-bench.md", "the whole run on the quiet machine", "", "./x bench preloader: P8, P8-libc, P8-pool, P8-share"),
    ("docs/evidence/coordination-bench.md", "By itself that call takes 17 us", "", "no row: 300 children on one CPU"),
    ("docs/evidence/supervisor-bench.md", "On two CPUs of a small virtual machine", "supervisor", "P13-one"),
)


def values(kind, row):
    """What the results say about it now."""
    if not kind:
        return row
    results = Results(kind)
    if kind == "parts":
        return "; ".join(f"{id} {results.methods[id]['added_us']:+.1f} us" for id in row.split() if id in results.methods)
    method, _, formula = row.partition(": ")
    if formula:
        names = {key: value for key, value in results.methods[method].items() if isinstance(value, (int, float))}
        return f"{row} = {eval(formula, {}, names):.1f} us"  # noqa: S307: a line above
    id, _, which = row.partition(" ")
    found = results.rows.get(id)
    if found is None:
        return f"{row}: not measured"
    return f"{row} = {found[which + '_us'] if which else found['value']}"


def by_hand():
    lines = []
    for name, words, kind, row in BY_HAND:
        document = (ROOT / name).read_text().split("\n")
        numbers = [number for number, line in enumerate(document, 1) if words in line]
        place = f"{name}:{numbers[0]}" if numbers else f"{name}: GONE"
        lines.append(f"{place}: {words!r}: {values(kind, row)}")
    return lines


def documents():
    return sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


def written(document):
    """Its text with all blocks as they should be."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", document)


def check():
    """For ./x check: the blocks that are not what the results say."""
    complaints = []
    for path in documents():
        text_now = path.read_text()
        for found in BLOCK.finditer(text_now):
            line = text_now.count("\n", 0, found.start()) + 1
            if found[2] not in BLOCKS:
                complaints.append(f"{path.relative_to(ROOT)}:{line}: no figures {found[2]}")
            elif written(found[0]) != found[0]:
                complaints.append(f"{path.relative_to(ROOT)}:{line}: not the figures of docs/evidence/figures: run scripts/figures.py")
    return complaints


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(by_hand()))
        return 0
    if arguments:
        print(__doc__)
        return 2
    for path in documents():
        before = path.read_text()
        after = written(before)
        if after != before:
            path.write_text(after)
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
