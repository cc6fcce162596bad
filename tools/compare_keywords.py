#!/usr/bin/env python3
"""Compares the keywords of two binaries, class by class, as "-dKall" prints them.

usage: compare_keywords.py BINARY REFERENCE [CLASS...]

Prints what REFERENCE has and BINARY lacks, then what both have with another signature. Exits with 1 when
something is missing. Classes: acl cfg cli cnv flt smp svc.
"""
import re
import subprocess
import sys

CLASSES = {
    "ACL": "acl",
    "configuration": "cfg",
    "CLI": "cli",
    "sample converter": "cnv",
    "filter": "flt",
    "sample fetch": "smp",
    "service": "svc",
}


def dump(binary):
    done = subprocess.run([binary, "-dKall", "-q", "-c", "-f", "/dev/null"], capture_output=True, text=True)
    return done.stdout.splitlines()


def configuration_name(line, section):
    """'bind <addr> backlog +1' of the section 'listen' becomes ('listen', 'bind backlog')."""
    words = line.split()
    words = [w for w in words if w not in ("<addr>", "<name>") and not re.fullmatch(r"\+-?\d+", w)]
    if "[" in words:
        words = words[: words.index("[")]
    return f"{section}: {' '.join(words)}"


def entry(kind, line):
    """The name of a keyword, and what else is told of it."""
    if kind == "acl":
        name, _, rest = line.partition(" = ")
        return name, rest
    if kind == "smp":
        where, _, rest = line.rpartition("] ")
        name = re.split(r"[(:]", rest, maxsplit=1)[0]
        return name, rest[len(name):] + "   " + where.strip("[ ")
    if kind == "cnv":
        name = re.split(r"[(:]", line, maxsplit=1)[0]
        return name, line[len(name):]
    return re.sub(r" *\[.*", "", line).strip(), ""


def keywords(binary):
    """{class: {name: signature}}"""
    out, kind, section = {}, None, ""
    for line in dump(binary):
        if title := re.match(r"# List of registered (\w+(?: converter| fetch)?)", line):
            kind = CLASSES[title[1]]
            out[kind] = {}
        elif line.startswith("#") or not line.strip():
            continue
        elif kind == "cfg":
            if not line.startswith("\t"):
                section = line.strip()
            out[kind][configuration_name(line, section) if line.startswith("\t") else f"section {section}"] = ""
        else:
            name, rest = entry(kind, line)
            out[kind][name] = rest
    return out


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    ours, theirs = keywords(sys.argv[1]), keywords(sys.argv[2])
    missing = 0
    for kind in sys.argv[3:] or theirs:
        lacking = [name for name in theirs[kind] if name not in ours[kind]]
        differing = [name for name in theirs[kind] if name in ours[kind] and ours[kind][name] != theirs[kind][name]]
        missing += len(lacking)
        print(f"{kind}: {len(theirs[kind])} there, {len(ours[kind])} here, {len(lacking)} missing, "
              f"{len(differing)} different")
        for name in lacking:
            print(f"  missing  {name}")
        for name in differing:
            print(f"  differs  {name}\n    here   {ours[kind][name]}\n    there  {theirs[kind][name]}")
    sys.exit(1 if missing else 0)


main()
