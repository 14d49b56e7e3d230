"""Documentation of installed packages as harmless text: READMEs under licences that allow it, cut into pieces.

`--pages node_modules` of train.py: any folder of npm packages. What they tell their readers to do is what manuals say, and
nobody's order. Packages whose documentation is held out (corpus.HELD_SOURCES) are left out by name.
"""

import json
import os
import random
import re

from corpus import HELD_SOURCES, Example

LICENCES = frozenset(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'CC0-1.0', 'Unlicense', 'BlueOak-1.0.0'])
LEAST, MOST = 200, 1100


def pieces(text):
    """Paragraphs, put together to pieces of some hundred characters."""
    piece = ''
    for part in text.split('\n\n'):
        if piece and len(piece) + len(part) > MOST:
            if len(piece) >= LEAST:
                yield piece
            piece = ''
        piece = (piece + '\n\n' + part).strip()[: 2 * MOST]
    if len(piece) >= LEAST:
        yield piece


def held(name):
    """Whether a package's texts are kept for measuring: one of corpus.HELD_SOURCES (typage is published as age-encryption)."""
    return any(source in name.lower() for source in (*HELD_SOURCES, 'age-encryption'))


def pages(folder):
    seen = set()
    for place, _, names in sorted(os.walk(folder)):
        if 'package.json' not in names:
            continue
        try:
            with open(os.path.join(place, 'package.json'), encoding='utf-8') as f:
                package = json.load(f)
        except ValueError:
            continue
        name = str(package.get('name', '')).lower()
        if package.get('license') not in LICENCES or held(name):
            continue
        for file in sorted(names):
            if not file.lower().endswith('.md') or file.lower().startswith(('license', 'licence')):
                continue
            with open(os.path.join(place, file), encoding='utf-8', errors='replace') as f:
                text = f.read(300_000)
            for piece in list(pieces(text))[:60]:
                if piece not in seen:
                    seen.add(piece)
                    yield Example([('result', piece)], 0, None, None, 'docs', f'pages:{name}')


# Where packages keep what their programs say in other languages: `lib/de/…json`, `locales/fr.json`, `locales/ja.js`.
SAID = re.compile(r'/(?:locales?|lib|i18n)/([a-z]{2,3})(?:[-_][A-Za-z]{2,4})?(?:/[\w.]+)?\.(json|js)$')
QUOTED = re.compile(r'"((?:[^"\\\n]|\\.){4,300})"|`([^`\n]{4,300})`')
SLOTS = re.compile(r'\$\{[^}]*\}|%[sd]|\{\d\}')


def licensed(place, known):
    """Whether the package that a folder belongs to may be learned from."""
    root = re.match(r'.*/node_modules/((?:@[^/]+/)?[^/]+)', place)
    if not root or held(root[1]):
        return False
    if root[0] not in known:
        try:
            with open(os.path.join(root[0], 'package.json'), encoding='utf-8') as f:
                known[root[0]] = json.load(f).get('license') in LICENCES
        except (OSError, ValueError):
            known[root[0]] = False
    return known[root[0]]


def messages(folder, seed=7):
    """What programs say to their users in other languages, some messages to a piece: harmless text in letters of all kinds."""
    by, known = {}, {}
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(place, name)
            found = SAID.search(path)
            if not found or found[1] == 'en' or not licensed(place, known):
                continue
            with open(path, encoding='utf-8', errors='replace') as f:
                text = f.read(1_000_000)
            lines = by.setdefault(found[1], set())
            for a, b in QUOTED.findall(text):
                line = SLOTS.sub(lambda m: random.Random(m.start()).choice(['3', 'x', '"id"', 'name', '12']), a or b).replace('\\"', '"')
                if ' ' in line.strip() or any(ord(c) > 0x2FF for c in line):
                    lines.add(line)
    r = random.Random(seed)
    for name in sorted(by):
        lines = sorted(by[name])
        for _ in range(min(4000, 3 * len(lines))):
            piece = r.choice([' ', '\n', '\n', '\n\n']).join(r.sample(lines, k=min(len(lines), r.choice([1, 1, 2, 3, 4]))))
            yield Example([('result', piece)], 0, None, None, 'docs', f'messages:{name}')
