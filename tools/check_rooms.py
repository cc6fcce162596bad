#!/usr/bin/env python3
"""Fails when a file of src/ includes a room that cmake/rooms.cmake does not grant its own room."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
rooms = {}
for line in (root / "cmake/rooms.cmake").read_text().splitlines():
    m = re.match(r"room\((\w+)(?:\s+USES\s+([\w\s]+?))?(?:\s+LIBS.*)?\)\s*$", line)
    if m:
        rooms[m.group(1)] = {m.group(1), *(m.group(2) or "").split()}

wrong = 0
for path in sorted((root / "src").rglob("*")):
    if path.suffix not in (".h", ".cc"):
        continue
    room = path.relative_to(root / "src").parts[0]
    if room not in rooms:
        print(f"{path.relative_to(root)}: the room '{room}' is not in cmake/rooms.cmake")
        wrong += 1
        continue
    for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"/]+)/', text)
        if m and m.group(1) not in rooms[room]:
            print(f"{path.relative_to(root)}:{number}: {room}/ may not include {m.group(1)}/")
            wrong += 1
for room in rooms:
    folder = root / "src" / room
    if folder.exists() and not (folder / "README.md").exists():
        print(f"src/{room}/README.md is missing")
        wrong += 1
sys.exit(1 if wrong else 0)
