"""What the sources of installed packages say in English: comments before functions, and messages among their strings."""

import os
import random
import re

from corpus import Example
from pages import MOST, SLOTS, licensed

COMMENT = re.compile(r'/\*\*(.*?)\*/', re.S)
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.){16,300})"|\'((?:[^\'\\\n]|\\.){16,300})\'|`([^`\n]{16,300})`')
SPOKEN = re.compile(r'[A-Za-z]+(?: [\w(\'"`$.,:-]+){3}')  # four words after each other: no selector, no query, no list of classes
CODE = re.compile(r'[{};]|=>|&&|\|\||</|\\[nx]')


def remarks(folder, most=60):
    """What programs' sources say in English: comments before functions, and messages among their strings. Harmless, and full of
    verbs that command ("Write the bytes to the socket", "Remove the old entry first"). Yields (comment, or None; message, or None).
    """
    known, seen = {}, set()
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if not name.endswith(('.d.ts', '.js', '.cjs', '.mjs')) or name.endswith('.min.js') or not licensed(place, known):
                continue
            with open(os.path.join(place, name), encoding='utf-8', errors='replace') as f:
                text = f.read(2_000_000)
            found = 0
            for body in COMMENT.findall(text):
                comment = '\n'.join(line.strip().removeprefix('*').strip() for line in body.split('\n')).strip()
                if 60 < len(comment) < MOST and ' ' in comment and comment not in seen and 'icense' not in comment and found < most:
                    seen.add(comment)
                    found += 1
                    yield comment, None
            for literal in LITERAL.findall(text) if not name.endswith('.d.ts') else ():
                message = SLOTS.sub('x', max(literal)).replace("\\'", "'").replace('\\"', '"').strip()
                if SPOKEN.search(message) and not CODE.search(message) and message not in seen:
                    seen.add(message)
                    yield None, message


def spoken(folders, seed=11):
    """Examples of remarks: comments as they are, messages some to a piece."""
    r, lines, comments = random.Random(seed), set(), set()
    for folder in folders:
        for comment, message in remarks(folder):
            if comment:
                comments.add(comment)
            else:
                lines.add(message)
    for comment in sorted(comments):
        yield Example([('result', comment)], 0, None, None, 'docs', 'comments')
    lines = sorted(lines)
    for _ in range(2 * len(lines)):
        piece = r.choice([' ', '\n', '\n', '\n\n']).join(r.sample(lines, k=min(len(lines), r.choice([1, 1, 2, 3, 4]))))
        yield Example([('result', piece)], 0, None, None, 'docs', 'strings')
