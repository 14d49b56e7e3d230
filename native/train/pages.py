"""Documentation of installed packages as harmless text: READMEs under licences that allow it, cut into pieces.

`--pages node_modules` of train.py: any folder of npm packages. What they tell their readers to do is what manuals say, and
nobody's order. Packages whose documentation is held out (corpus.HELD_SOURCES) are left out by name.
"""

import json
import os

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
        if package.get('license') not in LICENCES or any(h in name for h in (*HELD_SOURCES, 'age-encryption')):
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
