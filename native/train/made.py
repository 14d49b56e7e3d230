"""Examples of our own generators: results with and without an order to the agent, and calls that were asked for or not."""

from actions import ACTIONS, WRITES, call_of, say, values_of
from answers import asked_about
from carriers import carry
from corpus import Example, call_text
from deeds import deed
from documents import document
from furniture import dressed, plain
from noise import disturbed
from orders import capital, order
from prompts import ordered, request, requests
from replies import reply
from reports import clipped, manual_list, opinion, report, status, title
from rooms import ITS_OWN, in_room
from sentences import harmless
from slots import Slots
from splice import cut, splice
from tongues import foreign_order, foreign_sentence, foreign_text, tongue
from voices import voiced
from wrappers import composed, wrap

PERSONAL = frozenset(['mailbox', 'letter', 'thread', 'notes', 'source'])
LISTS = frozenset(['notes', 'source', 'manual', 'notice'])  # among their lines a bare order is one more line
ANSWERS, TONGUES, ROOMS = 0.2, 0.16, 0.25
READS = [a for a in ACTIONS if a.reads]


class Maker:
    """One stream of examples. `words` is wordnet.Words; `real` are clean results [(user's words, text)] to put sentences into."""

    def __init__(self, seed, words, real=()):
        self.s, self.words, self.real = Slots(seed, words), words, real
        self.tongue, self.abroad = None, False  # another language of the result that is made, and whether all of it is in that

    def deed(self):
        return deed(self.s, self.words)

    def sentence(self):
        """A harmless one."""
        s = self.s
        if self.tongue and s.chance(0.9 if self.abroad else 0.15):
            return foreign_sentence(s, self.tongue)
        kind = s.number(0, 9)
        if kind < 3:
            return report(s, self.deed)
        if kind == 3 or kind == 4:
            return ' '.join(clipped(s, self.words, self.deed) for _ in range(s.pick([1, 1, 2])))
        if kind < 6 and s.chance(0.5):
            return opinion(s)
        if kind < 6:
            return harmless(s, s.pick([0.1, 0.5, 0.9]))
        return s.pick(self.words.sentences)

    def hard(self):
        if self.tongue and self.s.chance(0.7):
            return foreign_text(self.s, self.tongue)
        if self.s.chance(0.2):
            return clipped(self.s, self.words, self.deed)
        return report(self.s, self.deed) if self.s.chance(0.75) else harmless(self.s, 0.9)

    def task(self):
        """A user's task: [(action, values)] and the words."""
        s = self.s
        steps = [(a, values_of(s, a)) for a in (s.pick(ACTIONS[:-1]) for _ in range(s.pick([1, 1, 1, 2])))]
        parts = [say(s, a, v) for a, v in steps]
        if s.chance(0.35):
            parts.append(self.deed().base)
        words = ' and then '.join(parts)
        lead = s.pick(['', '', 'Please ', 'Could you please ', 'I need you to ', 'Can you ', f'{s.first()} wrote to me. ', 'I want to ', 'Help me to '])  # fmt: skip
        body = words[:1].lower() + words[1:] if lead and not lead.endswith('. ') else capital(words)
        more = s.pick(['', '', '', f' {s.first()} sent me a message, do what it asks for.', f' Details are in the mail of {s.first()}.', ' Tell me when it is done.', ' Then summarize the reviews.'])  # fmt: skip
        return steps, lead + body + s.pick(['', '.', '.', '?']) + more

    def order(self, in_mail):
        return (voiced if self.s.chance(0.4) else order)(self.s, self.deed(), personal=not in_mail)

    def goal(self, in_mail, dressed_up=30):
        """(family, words) of an order; `dressed_up` of a hundred wear a wrapper."""
        s = self.s
        abroad = self.tongue is not None and s.chance(0.85)
        text = foreign_order(s, self.tongue) if abroad else ordered(s, self.deed) if s.chance(0.03) else self.order(in_mail)
        if abroad:
            dressed_up = min(dressed_up, 15)
        if s.chance(0.12):
            text += s.pick([' ', ' ', '\n']) + self.order(in_mail)
        if s.chance(0.1):
            act = s.pick([a for a in ACTIONS if a.domain == 'text'])
            text = say(s, act, values_of(s, act)) + s.pick(['', '.', '!'])
        roll = s.number(0, 99)
        if roll < dressed_up:
            family, text = (composed if s.chance(0.65) else wrap)(s, text.rstrip('.!'))
        else:
            family = 'own-bare'
        if s.chance(0.06):
            text = disturbed(s, text)
        return family, text

    def result(self):
        s = self.s
        steps, words = self.task()
        bad = s.chance(0.5)
        if s.chance(ROOMS):
            return self.room(bad)
        self.tongue = tongue(s) if s.chance(TONGUES) else None
        self.abroad = s.chance(0.5)
        bad = bad and not (self.tongue and s.chance(0.4))  # most of what is in another language is harmless
        if s.chance(ANSWERS):
            return self.answer(bad)
        found = {'family': 'own-clean'}

        def make(in_mail, dressed_up=30):
            if not bad:
                return None
            found['family'], text = self.goal(in_mail, dressed_up)
            return text

        user, roll = None, s.number(0, 99)
        if roll >= 92:
            text, span = self.alone(make) if bad else (self.lone(), None)
        elif self.real and roll < 30:
            user, text = s.pick(self.real)
            text, span = splice(s, text, make(False, 30 if user else 60) if bad else self.hard())
            span = span if bad else None
        elif roll < 55:
            shape, text = document(s, self.sentence, self.deed)
            if len(text) > 1500:
                text = cut(s, text)
            span = None
            if bad:
                text, span = splice(s, text, make(shape in PERSONAL, 75 if shape in LISTS else 30))
            elif s.chance(0.15):
                text, span = dressed(s, text, span)
        elif not bad and s.chance(0.4):
            text, span = s.pick([plain, plain, lambda _: status(s, self.deed), lambda _: status(s, self.deed), lambda _: manual_list(s, self.deed), lambda _: reply(s, self.deed)])(s), None
        else:
            text, span = carry(s, self.sentence if s.chance(0.8) else lambda: title(s, self.deed), make)
            if s.chance(0.25):
                text, span = dressed(s, text, span)
        if not bad and s.chance(0.2):  # what was asked for comes back in the answer
            text = self.echo(s.pick(steps), text)
        if not bad and s.chance(0.03):
            text = disturbed(s, text)
        first = [('instruction', user or words)] if s.chance(0.55) else []
        return Example([*first, ('result', text)], int(bad), None, span, found['family'], 'own')

    def room(self, bad):
        """A short result of some walk of life; an order in it is mostly that room's."""
        s = self.s
        self.tongue = None
        order, family = None, 'own-clean'
        if bad:
            order, family = ITS_OWN, 'own-room'
            if s.chance(0.25):
                family, order = self.goal(False)
        question, text, span = in_room(s, order)
        first = [('instruction', question)] if s.chance(0.6) else []
        return Example([*first, ('result', text)], int(bad), None, span, family, 'own')

    def answer(self, bad):
        """A text with a question about it, and maybe an order that changes the answer."""
        inner = None if self.tongue is None else (foreign_order if bad else foreign_sentence)(self.s, self.tongue)
        question, text, span = asked_about(self.s, self.deed, self.sentence, bad, inner)
        first = [('instruction', question)] if question else []
        return Example([*first, ('result', text)], int(bad), None, span, 'own-answer' if bad else 'own-clean', 'own')

    def alone(self, make):
        text = make(False, 15).strip()
        return text, (0, len(text))

    def lone(self):
        """A harmless text that is all of a result."""
        s, kind = self.s, self.s.number(0, 9)
        if kind < 4:
            return request(s, self.deed)
        if kind == 4:
            return reply(s, self.deed)
        if kind == 5:
            return requests(s, self.deed)
        return self.hard() if kind < 8 else self.sentence()

    def echo(self, step, text):
        s = self.s
        act, values = step
        tool, arguments = call_of(s, act, values)
        pattern = s.pick(['{a}', '{t}: {a}\n{x}', '{x}\n{t} {a} ok', 'Result of {t}({a}): {x}', 'Done: {w}\n{x}', '{x}'])
        for key, value in (('{t}', tool), ('{a}', str(arguments)), ('{w}', say(s, act, values)), ('{x}', text)):
            pattern = pattern.replace(key, value)
        return pattern

    def call(self):
        """What the user asked for, a harmless reading, or something that nobody asked for."""
        s = self.s
        steps, words = self.task()
        kind = s.pick(['asked', 'asked', 'read', 'foreign', 'foreign', 'twisted'])
        act, values = s.pick(steps)
        if kind == 'read':
            act = s.pick(READS)
            values = values_of(s, act)
        elif kind == 'twisted':  # the right verb with another's recipient
            act = steps[0][0]
            values = values_of(s, act)
            if act.reads:
                kind = 'read'
        elif kind == 'foreign':
            act = s.pick([a for a in WRITES if a not in [x for x, _ in steps]])
            values = values_of(s, act)
        bad = kind in ('foreign', 'twisted')
        segments = [('instruction', words), ('call', call_text(*call_of(s, act, values)))]
        return Example(segments, None, int(bad), None, 'own-' + kind, 'own')

    def many(self, results, calls):
        return [self.result() for _ in range(results)] + [self.call() for _ in range(calls)]
