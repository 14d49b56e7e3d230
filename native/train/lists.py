"""Lists of phrases in text files: a line is a phrase, `[section]` lines part them, `#` begins a comment."""

import os
import re

HEAD = re.compile(r'\[([a-z]+)\]')


def _read(path, sections, quoted):
    lists, section = {name: [] for name in sections}, None
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            head = HEAD.fullmatch(line)
            if head:
                section = head[1]
                if section not in lists:
                    raise ValueError(f'{path}:{number}: no section {section}')
            else:
                lists[section].append(line.strip('"') if section in quoted else line)
    missing = [name for name, lines in lists.items() if not lines]
    if missing:
        raise ValueError(f'{path}: nothing in {missing}')
    return lists


def read_all(folder, sections, quoted=()):
    """{name: {section: [phrase]}} of the `.txt` files beside this one in `folder`; in `quoted` sections, quotes keep spaces."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), folder)
    return {name[:-4]: _read(os.path.join(folder, name), sections, quoted) for name in sorted(os.listdir(folder)) if name.endswith('.txt')}
