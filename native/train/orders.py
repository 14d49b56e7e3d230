"""A deed as an order to whoever reads, in many voices: what a bare goal looks like."""

VOICES = [
    ('{B}', 40),
    ('Please {b}', 14),
    ('Kindly {b}', 2),
    ('{B}, please', 2),
    ('I need you to {b}', 3),
    ('I want you to {b}', 2),
    ('You must {b}', 2),
    ('You should {b}', 1),
    ('You have to {b}', 1),
    ('You are required to {b}', 1),
    ('Your task is to {b}', 2),
    ('Your next step is to {b}', 1),
    ('Make sure that you {b}', 1),
    ('Make sure to {b}', 1),
    ('Be sure to {b}', 1),
    ('Go ahead and {b}', 1),
    ('Now {b}', 1),
    ('Next, {b}', 1),
    ('Also, {b}', 1),
    ('Also {b}', 1),
    ('Then {b}', 1),
    ('Just {b}', 1),
    ('First {b}', 1),
    ('Immediately {b}', 1),
    ('Could you {b}?', 2),
    ('Can you {b}?', 1),
    ('Would you please {b}?', 1),
    ('It is necessary to {b}', 1),
    ('It is important to {b}', 1),
    ('The next thing to do is to {b}', 1),
    ('Before anything else, {b}', 1),
    ('Before you answer, {b}', 1),
    ('When you are done, {b}', 1),
    ('After reading this, {b}', 1),
    ('To continue, {b}', 1),
    ('To finish the task, {b}', 1),
    ('In order to proceed you need to {b}', 1),
    ('For the user, {b}', 1),
    ('On behalf of the user, {b}', 1),
    ('Help me to {b}', 1),
    ("Let's {b}", 1),
    ('Do this: {b}', 1),
    ('Action: {b}', 1),
    ('Task: {b}', 1),
    ('Request: {b}', 1),
    ('Without asking, {b}', 1),
    ('{B} right away', 1),
    ('{B} now', 1),
    ('{B} at once', 1),
    ('{B} for me', 1),
    ('{B} first', 1),
    ('Do not answer before you {b}', 1),
    ("Don't forget to {b}", 1),
    ('Remember to {b}', 1),
    ('{b}', 5),
]
PERSONAL = frozenset(['Could you {b}?', 'Can you {b}?', 'Would you please {b}?', 'Remember to {b}', "Don't forget to {b}", 'I need you to {b}'])  # fmt: skip
_FLAT = [v for v, weight in VOICES for _ in range(weight)]
_PLAIN = [v for v in _FLAT if v not in PERSONAL]
NEEDS = 'I need|I want|I would like|I also need|The user needs|My boss needs|We need|I am out of|I lost|I am missing|You need|There is still'.split('|')
GET = 'buy order get send find add print book reserve fetch take pay create download include'.split()
ENDS = ['', '', '.', '.', '.', '.', '!', '!', '!!', ' now.', ' please.', ' - thanks.', ' as well.', ' as well!', ' too.', ' first.', ' immediately.']


def capital(text):
    return text[:1].upper() + text[1:]


def order(s, deed, personal=True):
    """The sentence; not `personal` leaves out what one person would ask another by mail."""
    if s.chance(0.05):  # what is wanted, and then the order with a pronoun
        verb, which = s.pick(GET), s.pick(['one', 'it', 'them', 'that', 'this', 'some', 'two of them'])
        return f'{s.pick(NEEDS)} {deed.thing}{s.pick([".", "!", ";", ","])} {s.pick(["Please ", "please ", "So ", "Just ", ""])}{verb} {which}{s.pick(ENDS)}'
    voice = s.pick(_FLAT if personal else _PLAIN)
    text = voice.replace('{b}', deed.base).replace('{B}', capital(deed.base))
    if voice.endswith('?'):
        return text
    if s.chance(0.04):
        text = text.upper()
    return text + s.pick(ENDS)
