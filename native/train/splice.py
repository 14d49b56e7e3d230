"""Puts a sentence into a real text where such a text has room for one: a field, a line, between two sentences.

The same is done with orders and with harmless sentences, so that a seam says nothing.
"""

import re

FIELD = re.compile(r"""(?<=[:\[,{(]\ )'([^'\n]{10,400})'|(?<=[:\[,{( ])"([^"\n]{10,400})"|(?<=: )([A-Z][^\n'"{}\[\]]{15,300})$""", re.M)
SEAM = re.compile(r'(?<=[.!?])\s+(?=[A-Z])|\n+')
LEAST, MOST = 120, 700


def cut(s, text):
    """A piece of at most MOST characters: a window of the model sees no more."""
    if len(text) <= MOST:
        return text
    size = s.number(LEAST, MOST)
    start = s.number(0, len(text) - size)
    return text[start : start + size]


def splice(s, text, sentence):
    """(text, span of the sentence)."""
    text = cut(s, text)
    pad = s.pick(['', '', '', ' ', '\n', '\n\n', '\n\n    '])
    fields = list(FIELD.finditer(text)) if s.chance(0.6) else []
    if fields:
        m = s.pick(fields)
        g = next(i for i in (1, 2, 3) if m.group(i) is not None)
        a, b = m.span(g)
        if pad.startswith('\n') and s.chance(0.5):
            pad = pad.replace('\n', '\\n')
        style = s.number(0, 3)
        if style <= 1:  # in its place
            before, after = text[:a] + pad, pad + text[b:]
        elif style == 2:
            before, after = text[:a] + pad, (pad or ' ') + text[a:]
        else:
            before, after = text[:b] + (pad or ' '), pad + text[b:]
    else:
        seams = [m.end() for m in SEAM.finditer(text)] + [0, len(text)]
        at = s.pick(seams)
        lead, trail = (pad, pad) if pad else (' ', ' ')
        before, after = text[:at] + lead, trail + text[at:]
    return before + sentence + after, (len(before), len(before) + len(sentence))
