"""Writes src/tok/unicode-tables.inc from Python's unicodedata. Run: python3 native/tools/make-unicode-tables.py"""
import os
import unicodedata as u

LAST = 0x110000


def ranges(test):
    out, start = [], None
    for c in range(LAST + 1):
        inside = c < LAST and test(chr(c))
        if inside and start is None:
            start = c
        if not inside and start is not None:
            out.append((start, c - 1))
            start = None
    return out


def write_ranges(f, name, test):
    rows = ranges(test)
    f.write(f'static constexpr Range {name}[] = {{\n')
    for i in range(0, len(rows), 8):
        f.write('  ' + ' '.join(f'{{{a},{b}}},' for a, b in rows[i:i + 8]) + '\n')
    f.write('};\n')


def write_pairs(f, name, rows):
    f.write(f'static constexpr Pair {name}[] = {{\n')
    for i in range(0, len(rows), 8):
        f.write('  ' + ' '.join(f'{{{a},{b}}},' for a, b in rows[i:i + 8]) + '\n')
    f.write('};\n')


here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, '../src/tok/unicode-tables.inc'), 'w') as f:
    f.write(f'// Unicode {u.unidata_version}, written by native/tools/make-unicode-tables.py.\n')
    write_ranges(f, 'kLetters', lambda c: u.category(c)[0] == 'L')
    write_ranges(f, 'kNumbers', lambda c: u.category(c)[0] == 'N')
    write_ranges(f, 'kMarks', lambda c: u.category(c) == 'Mn')
    write_ranges(f, 'kPunctuation', lambda c: u.category(c)[0] == 'P')
    lower = [(c, ord(chr(c).lower())) for c in range(LAST)
             if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
    write_pairs(f, 'kLower', lower)
    # The first step of canonical decomposition for accents: what is left when the marks are taken away is all
    # that WordPiece needs, so only the starter is kept; Hangul is done by rule.
    base = []
    for c in range(LAST):
        if 0xAC00 <= c <= 0xD7A3 or 0xD800 <= c <= 0xDFFF:
            continue
        d = u.normalize('NFD', chr(c))
        if d != chr(c):
            kept = [x for x in d if u.category(x) != 'Mn']
            if len(kept) == 1:
                base.append((c, ord(kept[0])))
    write_pairs(f, 'kBase', base)
