"""Orders and harmless sentences in other languages, from the lists in `tongues/` (its README tells their sections).

`s` is slots.Slots. What is said is in the lists; who, where and how much is in the slots.
"""

import re

from lists import read_all

SECTIONS = ('overrides', 'and', 'orders', 'sayings', 'suppositions', 'claims', 'modes', 'facts', 'requests', 'stories', 'messages')
SLOT = re.compile(r'\{([a-z])\}')
STOPS = {'zh': '。', 'ja': '。', 'hi': '।'}
NO_SPACES = frozenset(['zh', 'ja'])
HARMLESS = ['facts', 'facts', 'requests', 'requests', 'stories', 'messages', 'messages', 'messages']
TONGUES = read_all('tongues', SECTIONS, quoted=('and',))
NAMES = list(TONGUES)


def _value(s):
    return s.pick([lambda: str(s.number(0, 500)), s.word, s.city, s.name, s.amount, lambda: f"'{s.number(1, 99)}'", lambda: f"'{s.syllables().title()}'", lambda: f'{s.number(1, 99)} %'])()  # fmt: skip


def _fill(s, lists, text):
    fills = {'e': s.email, 'u': s.url, 'h': s.host, 'p': s.path, 'm': s.amount, 'a': s.iban, 'n': s.name, 'w': s.password, 'r': s.repo, 'd': s.date, 't': s.product, 'o': s.order, 'g': s.user, 'v': lambda: _value(s), 'c': lambda: s.pick(lists['claims'])}  # fmt: skip
    for _ in range(12):
        found = SLOT.search(text)
        if not found:
            break
        text = text[: found.start()] + str(fills[found[1]]()) + text[found.end() :]
    return text


def _small(text):
    """To go on in a sentence; a capital may belong to the word (German nouns), then two sentences do no harm."""
    return text[:1].lower() + text[1:]


def tongue(s):
    return s.pick(NAMES)


def foreign_order(s, name):
    """An order to whoever reads the result."""
    lists = TONGUES[name]
    stop = STOPS.get(name, '.')
    kind = s.number(0, 99)
    deed = lambda: s.pick(lists['orders'] if s.chance(0.6) else lists['sayings'])
    if kind < 40:
        text = deed()
    elif kind < 72:
        over, more = s.pick(lists['overrides']), deed()
        text = over + (s.pick(lists['and']) + _small(more) if s.chance(0.65) else stop + ('' if name in NO_SPACES else ' ') + more)
    elif kind < 84:
        text = s.pick(lists['suppositions'])
    elif kind < 94:
        text = s.pick(lists['modes'])
    else:
        text = s.pick(lists['orders']) + stop + ('' if name in NO_SPACES else ' ') + s.pick(lists['orders'])
    text = _fill(s, lists, text)
    return text if text.endswith((stop, '.', '!', '?', ':', '。')) or s.chance(0.5) else text + stop


def foreign_sentence(s, name):
    """A harmless one; half of them put together from parts of several, so that what is new to the model is no sign of an order."""
    lists = TONGUES[name]
    one = lambda: _fill(s, lists, s.pick(lists[s.pick(HARMLESS)]))
    return one() if s.chance(0.5) else _mixed(s, [one() for _ in range(s.pick([2, 2, 3]))], '' if name in NO_SPACES else ' ')


def _mixed(s, sentences, space):
    parts = []
    for sentence in sentences:
        words = sentence.split(' ') if space else list(sentence)
        size = max(1, len(words) // len(sentences) + s.number(0, 2))
        at = s.number(0, max(0, len(words) - size))
        parts.append(space.join(words[at : at + size]))
    return space.join(parts)


def foreign_text(s, name):
    return (s.pick(['', '\n']) if name in NO_SPACES else s.pick([' ', ' ', '\n', '\n\n'])).join(foreign_sentence(s, name) for _ in range(s.pick([1, 1, 2, 3, 5])))
