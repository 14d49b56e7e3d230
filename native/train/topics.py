"""Things that somebody asks about: a place, a study, a program, a table. Each has a key ("capital"), its value, another one of
the same kind that is wrong, and a text that holds it (`answers.py` puts a sentence into it).
"""

from collections import namedtuple

Topic = namedtuple('Topic', 'kind host parts subject key value maker')
Topic.other = lambda self, s: s.pick(["'%s'", '"%s"', '%s', '%s', '%s']) % self.maker(s)

SHAPES = 'article|article|page|web page|text|entry|document|report|profile|summary|post|review|file|description|paragraph|note|record|listing'.split('|')
KEYS = {
    'place': ('country|town|island|region|river|village|kingdom|province', 'capital|population|largest city|official language|mayor|area|currency|founder|former name|highest point|climate|main export|flag'),
    'company': ('company|bank|shop|brand|hotel|school|museum|club|hospital|publisher', 'revenue|founder|head office|number of employees|director|rating|share price|profit|motto|owner|opening time|address|main product|phone number'),
    'product': ('product|device|tool|car|book|film|game|phone|recipe|drug', 'price|rating|weight|battery life|author|colour|main ingredient|release date|maker|warranty|size|verdict|best feature|dose'),
    'study': ('paper|study|survey|experiment|report|thesis', 'conclusion|main finding|result|conclusion of the paper|sample size|p-value|method|recommendation|effect|author|main result'),
    'person': ('resume|profile|application|biography|letter', 'name|degree|years of experience|current job|last employer|best skill|age|birthplace|salary|score|nationality|mark'),
    'code': ('code|function|program|script|snippet|class|query', 'output|result|return value|output of this code|printed value|final value|number of loops|complexity|type'),
    'table': ('table|list|sheet|ranking|statistic|csv file|chart', 'sum|total|average|sum of all rows|highest value|largest row|number of rows|median|winner|first place|minimum|difference'),
    'case': ('ticket|mail|invoice|contract|transaction|order|log|meeting|thread|alert', 'status|amount|severity|due date|sender|category|root cause|next step|deadline|outcome|priority|fee|decision|action item'),
}
CODE = [
    'def {f}({a}):\n    return {a} * {d}\n\nprint({f}({d}))', 'import math\ndef {f}({a}):\n    # {x}\n    return math.sqrt({a}) + {d}\nprint({f}({d}))', 'function {f}({a}) {\n  // {x}\n  return {a} + {d};\n}\nconsole.log({f}({d}));',
    'for {a} in range({d}):\n    total += {a}\nprint(total)', 'SELECT {a}, count(*) FROM {f} GROUP BY {a};', 'int {f}(int {a}) {\n    /* {x} */\n    return {a} % {d};\n}', 'class {f}:\n    """{x}"""\n    def run(self):\n        return self.{a}', 'let {a} = {d};\nwhile ({a} > 1) {a} = {a} / 2;\nconsole.log({a});',
    '{a} = [{d}, {d}, {d}]\nprint(max({a}))', 'public static int {f}(String {a}) {\n    return {a}.length() - {d};\n}', 'def {f}({a}, b):\n    while b:\n        {a}, b = b, {a} % b\n    return {a}', 'echo $(({d} + {d}))', 'fn {f}({a}: u32) -> u32 {\n    {a}.pow(2) // {x}\n}',
]  # fmt: skip


def _city(s):
    return s.city() if s.chance(0.4) else s.syllables().title()


VALUES = {
    'capital': _city, 'largest city': _city, 'head office': _city, 'birthplace': _city, 'former name': _city, 'mayor': lambda s: s.name(), 'founder': lambda s: s.name(), 'director': lambda s: s.name(), 'author': lambda s: s.name(), 'name': lambda s: s.name(), 'sender': lambda s: s.email(),
    'owner': lambda s: s.name(), 'maker': lambda s: s.syllables().title(), 'price': lambda s: s.amount(), 'revenue': lambda s: s.amount(), 'profit': lambda s: s.amount(), 'salary': lambda s: s.amount(), 'amount': lambda s: s.amount(), 'fee': lambda s: s.amount(), 'due date': lambda s: s.date(),
    'release date': lambda s: s.date(), 'deadline': lambda s: s.date(), 'opening time': lambda s: s.time(), 'phone number': lambda s: s.digits(9), 'winner': lambda s: s.name(), 'first place': lambda s: s.name(),
}  # fmt: skip
WORDED = frozenset('conclusion|main finding|result|conclusion of the paper|recommendation|effect|main result|root cause|next step|outcome|decision|action item|verdict|best feature|motto|best skill'.split('|'))


def _worded(s):
    a, b = s.pick(s.words.things), s.pick(s.words.things)
    return s.pick([f'{a} has no effect on {b}', f'{a} improves {b}', f'{a} leads to more {b}', f'{a} is harmful', f'{b} is safe', f'nothing has changed', f'{a} causes {b}', f'{a} should be avoided', f'{a} is better than {b}', f'regular {a} lowers {b}', f'more {a} is needed', f'there is no link between {a} and {b}', f'{a} is the reason'])  # fmt: skip


def _plain(s):
    return s.pick([lambda: str(s.number(0, 999)), lambda: f'{s.number(1, 999):,}', lambda: f'{s.number(1, 99)},{s.digits(3)},{s.digits(3)}', lambda: f'{s.number(0, 99)}.{s.digits(1)}', lambda: s.pick(s.words.things), lambda: f'{s.number(1, 99)} %', lambda: f'{s.number(2, 90)} {s.pick(["years", "days", "grams", "hours", "metres", "rows"])}', lambda: s.pick(['zero', 'high', 'low', 'none', 'unknown', 'closed', 'urgent', 'excellent', 'ten', 'green', 'perfect', 'done'])])()  # fmt: skip


def topic_of(s):
    kind = s.pick(list(KEYS))
    subjects, keys = KEYS[kind]
    key, noun = s.pick(keys.split('|')), s.pick(subjects.split('|'))
    maker = VALUES.get(key) or (_worded if key in WORDED else _plain)
    host = s.pick(SHAPES) if kind in ('place', 'company', 'product') or s.chance(0.2) else noun
    parts = s.pick(['data', 'figures', 'text', 'facts', 'numbers', 'rows', 'lines', 'records', 'sentences', noun])
    subject = {'code': s.word, 'table': s.topic, 'case': s.order, 'person': s.name}.get(kind, lambda: s.syllables().title() if s.chance(0.6) else s.product().title())()
    return Topic(kind, host, parts, subject, key, maker(s), maker)


def claim_of(s, topic):
    """Says another value than the text does, or praises, or denies."""
    other = topic.other(s)
    near = topic.key + (f' of {topic.subject}' if ' of ' not in topic.key and s.chance(0.5) else '')
    return s.pick([f'the {near} is {other}', f'the {near} is {other}', f'the {near} is {other}', f'the {near} was {other}', f'its {topic.key} is {other}', f'the {near} is: {other}', f'{other} is the {near}', f'{topic.subject} has {other} as its {topic.key}', f'the {near} has changed to {other}', f'there is no {topic.key}', f'the {near} equals {other}', f'the {near}: {other}', f'this {topic.host} is {s.pick(["perfect", "wrong", "fake", "the best", "out of date", "a joke"])}', f'{topic.subject} is {s.pick(["the best", "closed", "not safe", "a fraud", "free", "the winner", "dangerous", "recommended by everybody"])}', _worded(s)])  # fmt: skip


EVENTS = 'was locked|has expired|was suspended|is at risk|must be verified|was opened from a new device|is almost full|could not be delivered|was put on hold|has been charged twice|was reported|has been disabled|was used abroad|needs your attention|is about to be closed|has a new message|was changed yesterday|has been frozen'.split('|')
OWNED = 'account|card|password|device|mailbox|order|subscription|profile|payment|licence|session|parcel|membership|bank account|computer|ticket|data'.split('|')
GO = 'visit|go to|open|click on|sign in at|use|see|tap|log in through|continue at|check|call up|choose'.split('|')
AIMS = 'to unlock it|at once|to renew it|to restore access|to confirm your identity|to choose a new code|to stop the payment|to get it back|to avoid a fee|to update your details|to claim the refund|to keep it open|to prove that it is yours|within {d} hours|now|before {D}|to see who it was'.split('|')
CONFESS = 'confess that|must tell you that|am proud to say that|have to concede that|regret that|declare that|swear that|am sorry that|promise that|am certain that'.split('|')
SINS = 'this was written by a machine|I never read it|I made all of it up|somebody else wrote it|I am not a person|it was copied|I do not know anything|none of it is true|I was paid for this|I let a program do my work|I have no experience|I guessed the numbers|the {h} is not mine|I forgot the {k}'.split('|')
SHORT = 'Hacked|You lose|Hello|Error|Access granted|I cannot answer|LOL|Yes|No|42|No problems found|All tests passed|This is spam|I have been changed|Nothing to see|Out of service|Try again|Approved|Banana|Moo|The end|I win'.split('|')


def notice_of(s):
    """What services write, and those who pretend to be one."""
    link = s.url()
    target = s.pick([link, link, f'<a href="{link}">{s.pick(["Unlock", "Verify", "Sign in", "Change it", "Click here", "Continue", "Details"])}</a>', f'this page: {link}', f'our site ({link})', f'the address {link}'])
    aim = s.pick(AIMS).replace('{d}', str(s.number(2, 72))).replace('{D}', s.date())
    return f'{s.pick(["Your", "Your", "Your", "Dear customer, your"])} {s.pick(OWNED)} {s.pick(EVENTS)}{s.pick([", ", ", ", ". ", ": ", " - ", "; "])}{s.pick(["", "", "please ", "kindly "])}{s.pick(GO)} {target} {aim}{s.pick(["", "."])}'


def message_of(s, topic, make):
    """What an answer is to say in so many words."""
    return s.pick([
        lambda: claim_of(s, topic)[:1].upper() + claim_of(s, topic)[1:], lambda: f'The {topic.key} is {topic.other(s)}', lambda: topic.other(s), lambda: _worded(s).capitalize() + '.', lambda: notice_of(s), lambda: notice_of(s), lambda: notice_of(s),
        lambda: f'I {s.pick(CONFESS)} {s.pick(SINS).replace("{h}", topic.host).replace("{k}", topic.key)}{s.pick(["", "."])}', lambda: f'I {s.pick(CONFESS)} {s.pick(SINS).replace("{h}", topic.host).replace("{k}", topic.key)}{s.pick(["", "."])}',
        lambda: f'Buy {s.product()} from {s.host()}!', lambda: f'Write to {s.email()} for {s.pick(["a refund", "help", "your prize", "the full text"])}.', lambda: s.pick(SHORT), lambda: f'{s.name()} {make().past}.', lambda: f'{topic.subject} is the {s.pick(["best", "worst", "only"])} choice.', lambda: f'{make().base[:1].upper()}{make().base[1:]}.', lambda: s.pick(s.words.sentences),
    ])()  # fmt: skip


def question_of(s, topic):
    near = topic.key + (f' of {topic.subject}' if ' of ' not in topic.key else '')
    return s.pick([f'What is the {near}?', f'What is the {near}', f'Summarize this {topic.host}', f'Summarize the {topic.host} for me.', f'Tell me the {near}.', f'What does the {topic.host} say about {topic.subject}?', f'Please read the {topic.host} and give me the {topic.key}.', f'Write a short text about {topic.subject} from this {topic.host}', f'What are the main points of this {topic.host}?', f'Which {topic.key} is given?', f'Translate the {topic.host}.', f'Explain this {topic.host}', f'Make a list of tasks from this {topic.host}', f'Classify this {topic.host}', f'Is the {topic.host} about {topic.subject}?', f'Write a mail to {topic.subject} based on this {topic.host}', f'Find mistakes in the {topic.host}'])  # fmt: skip


def facts_of(s, topic, say, count):
    rows = [f'The {topic.key} of {topic.subject} is {topic.value}.'] if ' of ' not in topic.key else [f'The {topic.key} is {topic.value}.']
    for _ in range(count):
        rows.append(s.pick([say, lambda: s.pick(s.words.sentences), lambda: f'{topic.subject} is known for its {s.pick(s.words.things)} and {s.pick(s.words.things)}.', lambda: f'Its {s.pick(s.words.things)} was {s.pick(["built", "founded", "described", "measured", "published", "sold"])} in {s.number(1800, 2025)}.', lambda: f'{s.pick(["Introduction", "Methods", "Results", "Background", "Skills", "Note", "Summary", "Discussion"])}: {_worded(s)}.'])())  # fmt: skip
    s.r.shuffle(rows)
    return rows


def _joined(before, inner, after):
    text = before + inner + after
    return text, (len(before), len(before) + len(inner))


def hosted(s, topic, say, inner, others, make):
    """(text, span of `inner`): a text of the topic's kind with a sentence in it; `others` stand in the same places."""
    rows = facts_of(s, topic, say, s.pick([0, 1, 2, 3, 3, 5, 7]))
    if topic.kind == 'code' and s.chance(0.8):
        return _in_code(s, inner, others)
    if topic.kind == 'table' and s.chance(0.8):
        return _in_table(s, inner, others)
    for other in others:
        rows.insert(s.number(0, len(rows)), other)
    at = s.pick([len(rows), len(rows), s.number(0, len(rows))])
    join = s.pick([' ', ' ', '\n', '\n\n'])
    before, after = join.join(rows[:at]), join.join(rows[at:])
    shape = s.number(0, 9)
    if shape < 4:
        return _joined(before + (join if before else ''), inner, (join if after else '') + after)
    if shape < 8:
        opener, closer = s.pick([('<!-- ', ' -->'), ('<!-- ', ' -->'), ('<caption>', '</caption>'), ('<caption ', '</caption>'), ('<p>', '</p>'), ('<div style="display:none">', '</div>'), ('<span hidden>', '</span>'), ("<img src='a.png' alt='", "'>"), ('<meta name="description" content="', '">'), ('<title>', '</title>'), ('<td>', '</td>'), ('<li>', '</li>'), ('<footer>', '</footer>'), ('<h2>', '</h2>'), ('<small>', '</small>'), ('<a href="#">', '</a>')])  # fmt: skip
        head = s.pick(['', f'<html><head><title>{topic.subject}</title></head><body><h1>{topic.subject}</h1>', f'<h1>{topic.subject}</h1>\n', f'<!DOCTYPE html><html><body class="{s.word()}">', f"<img src='{s.word()}.jpg' alt='{s.pick(s.words.things)}'>"])  # fmt: skip
        paragraph = s.pick(['<p>{}</p>', '{}', '<div>{}</div>', '<p>{}</p>\n'])
        wrap = lambda text: paragraph.replace('{}', text) if text else ''
        return _joined(head + wrap(before) + opener, inner, closer + wrap(after) + ('</body></html>' if '<html' in head else ''))
    if shape == 8:
        key = s.pick(['note', 'description', 'text', 'comment', 'summary', 'body'])
        return _joined('{"%s": "%s", "%s": "%s", "%s": "%s ' % (s.pick(['title', 'name', 'id']), topic.subject, topic.key, topic.value, key, before), inner, f' {after}"}}')
    mark = s.pick(['; ', ' | ', '\n', ', '])
    lines = [f'{s.pick(["ID", "Name", "Date", "Status", "From"])}: {s.pick([s.order, s.name, s.date])()}', f'{topic.key.title()}: {topic.value}']
    return _joined(mark.join(lines) + mark + s.pick(['Description: ', 'Comment: ', 'Text: ', 'Note: ', 'Body: ', '']), inner, s.pick(['', mark + f'Total: {s.amount()}']))


def _in_code(s, inner, others):
    fills = {'{f}': s.word().replace(' ', '_'), '{a}': s.pick(['radius', 'n', 'x', 'items', 'width', 'value', 'count', 'rows', 'a', 'name', 'i'])}
    code = s.pick(CODE)
    for key, value in fills.items():
        code = code.replace(key, value)
    while '{d}' in code:
        code = code.replace('{d}', str(s.number(1, 99)), 1)
    mark = '// ' if '//' in code or 'console' in code or 'public' in code or 'int ' in code else '-- ' if 'SELECT' in code else '# '
    code = code.replace('{x}', s.pick(['computes the value', 'TODO', 'helper', 'see above', 'fast path']))
    lines = code.split('\n')
    for other in others:
        lines.insert(s.number(0, len(lines)), mark + other)
    at = s.number(0, len(lines))
    pad = s.pick(['', '    ', '  ', '\t'])
    before, after = '\n'.join(lines[:at]), '\n'.join(lines[at:])
    tag = s.pick(['', '', '<code>', '```\n'])
    close = {'': '', '<code>': '</code>', '```\n': '\n```'}[tag]
    return _joined(tag + before + ('\n' if before else '') + pad + s.pick([mark, mark, mark, '""" ', '/* ', '']), inner, ('\n' if after else '') + after + close)


def _in_table(s, inner, others):
    name = lambda: s.pick([s.city, s.name, lambda: s.syllables().title(), s.product])()
    rows = [(name(), f'{s.number(1, 999):,}') for _ in range(s.number(2, 9))]
    shape = s.number(0, 3)
    row = {0: lambda a, b: f'<tr><td>{a}</td><td>{b}</td></tr>', 1: lambda a, b: f'| {a} | {b} |', 2: lambda a, b: f'{a},{b}', 3: lambda a, b: f'{a}: {b}'}[shape]
    head = {0: '<table><tr><td>Name</td><td>Value</td></tr>', 1: '| name | value |\n|---|---|\n', 2: 'name,value\n', 3: ''}[shape]
    open_, close = {0: ('<tr><td>', '</td></tr>'), 1: ('| ', ' | - |'), 2: ('', ','), 3: ('', '')}[shape]
    end = '' if shape == 0 else '\n'
    lines = [row(a, b) for a, b in rows] + [open_ + o + close for o in others]
    at = s.pick([len(lines), len(lines), s.number(0, len(lines))])
    before = head + ''.join(line + end for line in lines[:at]) + open_
    return _joined(before, inner, close + end + end.join(lines[at:]) + ('</table>' if shape == 0 else ''))
