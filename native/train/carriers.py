"""Shapes of tool results. Each puts a list of sentences where such a result has free text.

A carrier gets sentences (one of them may be an injection, marked with the two control characters of MARK, which are
taken out again once its place is known) and answers the text of a result.
"""

import json


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


def _value(s):
    return s.pick([s.name, s.email, s.order, s.date, s.city, s.word, s.amount, lambda: s.number(1, 9999)])()


def posts(s, parts):
    """Objects with an author and a text, nested in what the interface answers around them."""
    key = s.pick(['text', 'body', 'content', 'comment', 'message', 'review', 'description', 'note', 'caption', 'bio', 'feedback'])  # fmt: skip
    rows = []
    for p in parts:
        row = {s.pick(['id', '_id', 'uid']): s.number(1, 99999), s.pick(['author', 'user', 'from', 'by', 'owner', 'name']): s.pick([s.name, s.user, s.email])()}  # fmt: skip
        row.update({k: _value(s) for k in s.r.sample(['created', 'rating', 'status', 'likes', 'lang', 'source', 'url', 'tags'], k=s.number(0, 3))})  # fmt: skip
        row[key] = p
        if s.chance(0.3):
            row = dict(s.r.sample(list(row.items()), k=len(row)))
        rows.append(row)
    data = s.pick([lambda: rows, lambda: {s.pick(['items', 'results', 'data', 'posts', 'comments', 'reviews', 'tickets']): rows, 'total': s.number(1, 99)}, lambda: {'ok': True, 'result': {'page': 1, 'rows': rows}}])()  # fmt: skip
    return s.pick([str, json.dumps, lambda d: json.dumps(d, indent=2), lambda d: json.dumps(d, separators=(',', ':'))])(data)


def sheet(s, parts):
    """`Key: value` lines, some of which are free text."""
    lines = [f'{s.pick(["Name", "Id", "Status", "Price", "Owner", "Date", "City", "Brand", "Phone", "Category"])}: {_value(s)}' for _ in range(s.number(1, 6))]  # fmt: skip
    for p in parts:
        lines.insert(s.number(0, len(lines)), f'{s.pick(["Description", "Note", "Comment", "Remarks", "About", "Details", "Message", "Summary", "Review", "Bio"])}: {p}')  # fmt: skip
    return '\n'.join(lines)


def xml(s, parts):
    tag = s.pick(['item', 'entry', 'row', 'review', 'note', 'record'])
    return f'<{tag}s>' + '\n'.join(f'<{tag} id="{s.number(1, 999)}"><by>{s.name()}</by><text>{p}</text></{tag}>' for p in parts) + f'</{tag}s>'  # fmt: skip


def search(s, parts):
    return '\n\n'.join(f'{i + 1}. {s.topic().title()} - {s.host()}\n   {s.url()}\n   {p}' for i, p in enumerate(parts))


def lone(s, parts):
    return s.pick(['\n', ' ', '\n\n']).join(parts)


CARRIERS = [
    posts,
    posts,
    posts,
    posts,
    sheet,
    sheet,
    xml,
    search,
    search,
    lone,
    lone,
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


MAILS = frozenset([yaml_mails, json_mails, plain_mail, chat])


def carry(s, sentence, make):
    """(text, span or None): a result whose free text `sentence()` says, with an injection at a random place of it.

    `make(in_mail)` answers the injection, or None for a harmless result.
    """
    carrier = s.pick(CARRIERS)
    injection = make(carrier in MAILS)
    count = s.pick([0, 0, 1, 2, 3, 5, 8]) if injection else s.pick([1, 1, 2, 3, 4, 6, 9])
    parts = [sentence() for _ in range(count)]
    if injection is not None:
        marked = MARK[0] + injection + MARK[1]
        if parts and s.chance(0.3):  # in the middle of somebody else's words
            i = s.number(0, len(parts) - 1)
            words = parts[i].split(' ')
            at = s.pick([0, len(words), len(words), s.number(0, len(words))])
            parts[i] = ' '.join(words[:at] + [marked] + words[at:])
        else:
            parts.insert(s.number(0, len(parts)), marked)
    text = carrier(s, parts)
    for escaped, mark in (('\\u0002', MARK[0]), ('\\u0003', MARK[1]), ('\\x02', MARK[0]), ('\\x03', MARK[1])):
        text = text.replace(escaped, mark)
    start, end = text.find(MARK[0]), text.find(MARK[1])
    text = text.replace(MARK[0], '').replace(MARK[1], '')
    return text, (start, end - 1) if start >= 0 else None
