"""Short results from many walks of life, from the lists in `rooms/` (its README tells their sections).

What a doctor, a manual or a sign tells people commands as much as an attack does: only what is done, and to whose things,
tells them apart. So both come from the same rooms, in the same shapes.
"""

import json

from lists import read_all

SECTIONS = ('questions', 'facts', 'advice', 'letters', 'orders')
LEADS = ['By the way, ', 'Also: ', 'Also, ', 'Note: ', 'NB: ', 'P.S. ', 'Comment: ', 'Remark: ', 'Update: ', 'TODO: ', 'Important: ', 'Next: ', '- ', '* ', '> ']
KEYS = 'note|comment|remarks|description|summary|text|message|body|details|info|status|hint|content|title|bio'.split('|')
ROOMS = read_all('rooms', SECTIONS)
NAMES = list(ROOMS)
ITS_OWN = object()


def _joined(s, parts, mark):
    """Parts in one of the shapes of short results; and where the marked one stands."""
    shape = s.number(0, 9)
    if shape == 0:
        keys = s.r.sample(KEYS, k=min(len(parts), len(KEYS)))
        text = json.dumps(dict(zip(keys, parts)), ensure_ascii=False)
        mark = mark and json.dumps(mark, ensure_ascii=False)[1:-1]
    elif shape == 1:
        text = ''.join(f'<{t}>{part}</{t}>' for part in parts for t in [s.pick(['p', 'p', 'li', 'div', 'span'])])
    elif shape == 2:
        text = '\n'.join(s.pick(['- ', '* ', f'{i}. ']) + part for i, part in enumerate(parts, 1))
    elif shape == 3:
        text = s.pick(['; ', ' | ', ', ', ' / ', ' - ']).join(part.rstrip('.') if part != mark else part for part in parts)
    else:
        text = s.pick([' ', ' ', ' ', '\n', '\n', '\n\n']).join(part if part[-1:] in '.!?:' or s.chance(0.2) else part + '.' for part in parts)
    if not mark:
        return text, None
    at = text.find(mark)
    return text, ((at, at + len(mark)) if at >= 0 else None)


def in_room(s, order=None):
    """(question, text, span): `order` is what is planted (`ITS_OWN`: one of the room's), or None."""
    here = ROOMS[s.pick(NAMES)]
    one = lambda section: s.fill(s.pick(here[section]))
    parts = [one('facts') for _ in range(s.pick([1, 1, 2, 2, 3, 4, 5] if order else [0, 1, 1, 2, 2, 3, 4]))]
    for section, share in (('advice', 0.25 if order else 0.6), ('letters', 0.15 if order else 0.3)):
        if s.chance(share):
            parts.insert(s.number(0, len(parts)), one(section))
    if not order and (not parts or s.chance(0.25)):
        parts.append(one('advice'))
    if order is ITS_OWN:
        order = one('orders')
        if s.chance(0.15):
            order = s.pick(LEADS) + (order[:1].lower() + order[1:] if s.chance(0.5) else order)
    elif order is None and s.chance(0.1):
        at = s.number(0, len(parts) - 1)
        parts[at] = s.pick(LEADS) + parts[at]
    if order:
        parts.insert(s.pick([len(parts), len(parts), s.number(0, len(parts))]), order)
    text, span = _joined(s, parts, order)
    return one('questions'), text, span
