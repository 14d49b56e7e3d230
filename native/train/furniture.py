"""What results are made of when nobody wrote a sentence: records, lists, invoices, confirmations, errors.

Without it a model learns that whatever looks like data of a shop, a bank or a mailbox belongs to the generators' goals.
"""

import json

KEYS = ['id', 'name', 'title', 'status', 'price', 'amount', 'currency', 'quantity', 'total', 'date', 'created_at', 'updated_at', 'due', 'owner', 'email', 'user', 'phone', 'address', 'city', 'country', 'category', 'brand', 'rating', 'count', 'size', 'type', 'version', 'path', 'url', 'host', 'port', 'state', 'priority', 'tags', 'labels', 'members', 'balance', 'iban', 'limit', 'order_id', 'product_id', 'invoice_id', 'reference', 'number', 'code', 'discount', 'percentage', 'available', 'stock', 'delivery_date', 'order_date', 'payment', 'method', 'note', 'flight', 'seat', 'room', 'start', 'end', 'duration', 'language', 'private', 'archived', 'stars', 'forks', 'branch', 'commit', 'author', 'message', 'level', 'source', 'target', 'score', 'comment', 'unit', 'weight', 'color', 'model', 'serial', 'location', 'temperature', 'humidity', 'speed', 'enabled', 'verified', 'unread', 'folder', 'mime', 'bytes', 'hash', 'next', 'previous', 'page', 'items', 'children', 'parent']
MODELS = (
    'Pro',
    'Max',
    'Mini',
    'Plus',
    'Air',
    'Ultra',
    'XL',
    'SE',
    'Lite',
    '2nd Gen',
    '16-inch',
    '1TB',
    '512 GB',
    'Series 7',
    'Mk II',
    '(2025)',
    '4K',
    'Wireless',
    'Classic',
    'Sport',
)
DONE = (
    '{tool} completed.',
    'OK',
    'Done.',
    'Success',
    '{thing} created.',
    '{n} x {thing} put into {place}.',
    '{thing} removed from {place}.',
    '{place} is empty now.',
    'Sum: {m}',
    '{m}',
    '{n} items found.',
    'No {place} found.',
    '{thing} updated successfully.',
    'Saved {path}.',
    'Logged in as {user}.',
    'Invalid {key}: {thing}.',
    'TypeError: unknown {key} "{thing}"; allowed: {list}',
    'Error 404: {thing} not found',
    'PermissionError: {path}',
    'We sent a six-digit number to {email}.',
    '{key}: {thing}',
    'Message sent to {email}.',
    '{thing} is already in {place}.',
    'Timeout after {n} s',
    '{thing} scheduled for {date}.',
    'voucher {code}: {n} %',
    'Not enough credit: {m} needed, {m} left.',
    'Receipt {order}: {m}',
    '{order} was refunded ({m}).',
    'Second factor accepted.',
    'Booked: {thing}, {date}, {m}',
    '{key} changed from {thing} to {code}.',
)


def thing(s):
    """A name with capitals, as products, files and titles have."""
    base = s.pick([s.product().title, s.topic().title, s.word().title, s.name, s.file, s.repo])()
    return ' '.join([s.pick([s.word().title(), '', '']), base, s.pick(list(MODELS) + [''] * 12)]).strip()


def value(s, key):
    kind = s.number(0, 14)
    if key in ('price', 'amount', 'total', 'balance', 'limit', 'rating', 'score', 'weight', 'temperature'):
        return s.number(1, 99999) / 100
    if key.endswith('id') or key in ('number', 'reference', 'code', 'serial'):
        return s.pick([s.order(), s.number(1, 99999), s.token(8), s.digits(6)])
    if 'date' in key or key in ('start', 'end', 'due', 'created_at', 'updated_at'):
        return s.date()
    if key in ('email', 'owner', 'author', 'user', 'members'):
        return s.pick([s.email(), s.user(), s.name()])
    makers = [
        s.word,
        s.city,
        thing_of(s),
        s.order,
        s.path,
        s.host,
        s.url,
        s.date,
        s.user,
        lambda: s.number(0, 5000),
        lambda: s.chance(0.5),
        lambda: None,
        lambda: [s.word() for _ in range(s.number(0, 4))],
        s.topic,
        s.name,
    ]
    return makers[kind]()


def thing_of(s):
    return lambda: thing(s)


def one(s, fields):
    return {k: value(s, k) for k in s.r.sample(KEYS, k=fields)}


def record(s):
    """A Python or JSON text of nested records, as a tool prints them."""
    shape = s.number(0, 4)
    if shape == 0:
        data = one(s, s.number(2, 9))
    elif shape == 1:
        data = [one(s, s.number(2, 6)) for _ in range(s.number(0, 5))]
    elif shape == 2:
        data = {thing(s): one(s, s.number(2, 7)) for _ in range(s.number(0, 4))}
    elif shape == 3:
        word = s.pick(['Item', 'Entry', 'Event', 'Result', 'User', 'File', 'Row'])
        data = {f'{word} {i + 1}': one(s, s.number(2, 6)) for i in range(s.number(1, 5))}
    else:
        data = {**one(s, s.number(1, 4)), s.pick(KEYS): [one(s, s.number(1, 4)) for _ in range(s.number(0, 3))]}
    return str(data) if s.chance(0.5) else json.dumps(data, indent=s.pick([None, None, 2]))


def sheet(s):
    """`Key: value` lines: an invoice, a profile, a status page."""
    head = s.pick(['', f'Invoice {s.order()}\n', f'{thing(s)}\n', f'Details for {s.pick(KEYS)}: {s.order()}\n'])
    return head + '\n'.join(f'{k.replace("_", " ").title()}: {value(s, k)}' for k in s.r.sample(KEYS, k=s.number(3, 9)))


def done(s):
    """What a tool says when it has done something, or could not."""
    text = s.pick(DONE)
    fills = {
        'tool': s.pick(KEYS) + '_' + s.word(),
        'thing': thing(s),
        'place': s.pick(['cart', 'inbox', 'calendar', 'repository', 'list', 'account', 'folder', 'results']),
        'n': s.number(1, 99),
        'm': s.amount(),
        'path': s.path(),
        'user': s.user(),
        'key': s.pick(KEYS),
        'list': str(s.r.sample(KEYS, k=3)),
        'email': s.email(),
        'date': s.date(),
        'code': s.token(6).upper(),
        'order': s.order(),
    }
    for key, fill in fills.items():
        text = text.replace('{' + key + '}', str(fill))
    return text


def plain(s):
    return s.pick([record, record, sheet, done, done])(s)


def dressed(s, text, span):
    """Puts data before and after a text; the span moves with it."""
    before, after = (plain(s) + '\n' if s.chance(0.5) else '', '\n' + plain(s) if s.chance(0.5) else '')
    return before + text + after, None if span is None else (span[0] + len(before), span[1] + len(before))
