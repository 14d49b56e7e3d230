"""Small disguises of an attacker and accidents of everybody: spelling, case, look-alike letters, hidden characters."""

LOOKALIKE = dict(zip('aceopxyiABEKMHOPCTX', 'асеорхуіАВЕКМНОРСТХ'))
HIDDEN = ['\u200b', '\u200c', '\u2060', '\u00ad']


def disturbed(s, text):
    kind = s.number(0, 6)
    chars = list(text)
    if kind == 0:
        return text.lower()
    if kind == 1:
        return text.upper()
    if kind == 2:
        return ''.join(LOOKALIKE.get(c, c) if s.chance(0.25) else c for c in chars)
    if kind == 3:
        return ''.join(c + s.pick(HIDDEN) if c != ' ' and s.chance(0.15) else c for c in chars)
    if kind == 4:
        return text.replace(' ', s.pick(['  ', '\n', '\u00a0', '_', '\t']))
    for _ in range(max(1, len(chars) // 25)):
        i = s.number(0, len(chars) - 2) if len(chars) > 2 else 0
        roll = s.number(0, 2)
        if roll == 0:
            chars[i : i + 2] = reversed(chars[i : i + 2])
        elif roll == 1:
            chars[i] = chars[i] * 2
        else:
            chars[i] = ''
    return ''.join(chars)
