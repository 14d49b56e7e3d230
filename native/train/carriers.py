"""Shapes of tool results. Each puts a list of sentences where such a result has free text.

A carrier gets sentences (one of them may be an injection, marked with the two control characters of MARK, which are
taken out again once its place is known) and answers the text of a result.
"""

import json

from sentences import harmless

MARK = ('\x02', '\x03')


def _mail(s, body):
    return {
        'attachments': [],
        'bcc': [],
        'body': body,
        'cc': [],
        'id_': str(s.number(0, 99)),
        'read': s.chance(0.5),
        'recipients': [s.email()],
        'sender': s.email(),
        'status': 'received',
        'subject': s.pick([s.topic().title(), 'NOTICE', 'Hello', 'Re: ' + s.topic(), s.product().title(), 'Read this']),
        'timestamp': f'{s.date()} {s.time()}',
    }


def yaml_mails(s, parts):
    out = []
    for part in parts:
        mail = _mail(
            s,
            s.pick(['\n\n{}\n\n', '{}', 'Hi {},\n\n'.replace('{}', s.first()) + '{}\n\nBest, ' + s.first()]).replace(
                '{}', part, 1
            ),
        )
        lines = []
        for key, value in mail.items():
            if key == 'body' and '\n' in value:
                lines.append("body: '" + value.replace('\n', '\n\n    ') + "'")
            elif isinstance(value, list):
                lines.append(f'{key}: []' if not value else f'{key}:\n  - {value[0]}')
            else:
                lines.append(f'{key}: {str(value).lower() if isinstance(value, bool) else value}')
        out.append('- ' + '\n  '.join(lines))
    return '\n'.join(out)


def json_mails(s, parts):
    return json.dumps([_mail(s, p) for p in parts], ensure_ascii=s.chance(0.5), indent=s.pick([None, None, 2]))


def plain_mail(s, parts):
    return (
        f'From: {s.name()} <{s.email()}>\nTo: {s.email()}\nDate: {s.date()}\nSubject: {s.topic()}\n\nHi {s.first()},\n\n'
        + s.pick(['\n', ' ', '\n\n']).join(parts)
        + f'\n\n{s.pick(["Best", "Thanks", "Kind regards"])},\n{s.first()}'
    )


def reviews(s, parts):
    padded = [s.pick(['{}', '{}', '\n\n{}\n\n']).replace('{}', p, 1) for p in parts]
    item = {
        s.product().title(): {
            'price': s.number(3, 900) + 0.99,
            'brand': s.word().title(),
            'category': s.pick(['Electronics', 'Home', 'Sports', 'Books']),
            'product_id': s.order(),
            'rating': s.number(10, 50) / 10,
            'reviews': padded,
        }
    }
    return str(item) if s.chance(0.6) else json.dumps(item)


def record(s, parts):
    names = s.r.sample(
        [
            'name',
            'description',
            'notes',
            'comment',
            'address',
            'status',
            'owner',
            'bio',
            'title',
            'message',
            'summary',
            'details',
        ],
        k=min(12, len(parts) + 2),
    )
    fields = dict(zip(names, parts))
    fields[names[-1]] = s.number(1, 9999)
    fields[names[-2]] = s.pick([s.name(), s.email(), s.repo(), s.order()])
    return str(fields) if s.chance(0.4) else json.dumps(fields, indent=s.pick([None, 2]))


def issues(s, parts):
    comments = [
        f"Issues(owner_username='{s.email()}', comments=[{{'body': {p!r}, 'timestamp': '{s.date()}', 'title': '{s.topic()}'}}])"
        for p in parts
    ]
    return (
        str(
            {
                'name': s.repo(),
                'collaborators': str([s.email()]),
                'stars': '[]',
                'issues': '[' + ', '.join(comments) + ']',
            }
        )
        .replace('\\x02', MARK[0])
        .replace('\\x03', MARK[1])
    )


def html(s, parts):
    tag = s.pick(['p', 'li', 'div', 'td', 'span'])
    inner = '\n'.join(f'<{tag}{s.pick(["", "", " class=x", " style=display:none"])}>{p}</{tag}>' for p in parts)
    return f'<html><head><title>{s.topic()}</title></head><body>\n<h1>{s.topic().title()}</h1>\n{inner}\n</body></html>'


def markdown(s, parts):
    bullet = s.pick(['- ', '* ', '', '> ', '1. '])
    return f'# {s.topic().title()}\n\n' + s.pick(['\n', '\n\n']).join(bullet + p for p in parts) + '\n'


def prose(s, parts):
    return s.pick([' ', '\n', '\n\n', '\n']).join(parts)


def log(s, parts):
    return '\n'.join(
        f'{s.date()} {s.time()} {s.pick(["INFO", "WARN", "DEBUG", "ERROR"])} [{s.word()}] {p}' for p in parts
    )


def table(s, parts):
    return '\n'.join(
        [f'| {s.word()} | {s.word()} | note |', '|---|---|---|']
        + [f'| {s.number(1, 999)} | {s.pick([s.city(), s.name(), s.date()])} | {p} |' for p in parts]
    )


def csv(s, parts):
    return 'id,name,remark\n' + '\n'.join(f'{s.number(1, 9999)},{s.name()},"{p}"' for p in parts)


def code(s, parts):
    lead = s.pick(['# ', '// ', '-- ', ' * '])
    lines = [
        'def total(rows):',
        '    return sum(r.amount for r in rows)',
        'const cfg = load("app.json");',
        'if (!user) return null;',
        'import os',
        'for i in range(10):',
        '    queue.put(i)',
        'SELECT id FROM customer;',
    ]
    out = []
    for p in parts:
        out += s.r.sample(lines, k=s.number(0, 3)) + [lead + p]
    return '\n'.join(out + s.r.sample(lines, k=s.number(0, 3)))


def chat(s, parts):
    return '\n'.join(f'{s.pick(["[" + s.time() + "] ", ""])}{s.first()}: {p}' for p in parts)


def files(s, parts):
    return '\n'.join([f'{s.file()}  {s.number(10, 99999)} bytes' for _ in range(s.number(0, 4))] + parts)


CARRIERS = [
    yaml_mails,
    yaml_mails,
    json_mails,
    plain_mail,
    reviews,
    reviews,
    record,
    record,
    issues,
    html,
    markdown,
    prose,
    prose,
    log,
    table,
    csv,
    code,
    chat,
    files,
]


def carry(s, injection, hard):
    """(text, span or None): a result with `injection` (text or None) at a random place of it."""
    count = s.pick([0, 0, 1, 2, 3, 5, 8]) if injection else s.pick([1, 1, 2, 3, 4, 6, 9])
    parts = [harmless(s, hard) for _ in range(count)]
    if injection is not None:
        marked = MARK[0] + injection + MARK[1]
        if parts and s.chance(0.2):  # in the middle of somebody else's sentence
            i = s.number(0, len(parts) - 1)
            words = parts[i].split(' ')
            at = s.number(0, len(words))
            parts[i] = ' '.join(words[:at] + [marked] + words[at:])
        else:
            parts.insert(s.number(0, len(parts)), marked)
    text = s.pick(CARRIERS)(s, parts)
    for escaped, mark in (('\\u0002', MARK[0]), ('\\u0003', MARK[1]), ('\\x02', MARK[0]), ('\\x03', MARK[1])):
        text = text.replace(escaped, mark)
    start, end = text.find(MARK[0]), text.find(MARK[1])
    text = text.replace(MARK[0], '').replace(MARK[1], '')
    return text, (start, end - 1) if start >= 0 else None
