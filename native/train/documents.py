"""Whole documents as people write them: mails, mailboxes, reviews, tickets, chats, notes, manuals, minutes, notices.

Harmless as they are, and hosts into which an order is put (splice.py): what tells the two apart is whom a sentence speaks to.
`s` is slots.Slots, `say` answers a harmless sentence, `make` a deed.
"""

import json

from orders import capital
from reports import ASKED, MANUAL, SHOPS, TOLD, opinion, put

# What one person writes to another: with names, reasons, thanks, promises around what is asked for.
OPEN = 'I hope you are well|I hope this finds you well|How are you?|Long time no see|Thanks for your mail|Sorry for the late reply|It was nice to see you on {d}|Congratulations on the new job|I am writing about the {T}|As promised, here is the news|Quick question|Happy birthday|I have just come back from {c}|We are back in {c}|Hope the trip was good|I have a favour to ask|I could use your help|I am stuck with something|My phone is broken, so I write to you here|We met at the {T}|{F} gave me your address|You may remember me from the {T}'.split('|')
WANT = 'Could you {b}?|Can you {b} for me?|Would you mind if I asked you to {b}?|Would you be able to {b}?|Please {b} when you have time.|Please {b} before {d}.|I would be glad if you could {b}.|It would be great if you could {b}.|I need you to {b}, because I am in {c} until {d}.|If it is no trouble, please {b} for me.|Could you do me a favour and {b}?|I wonder whether you could {b}.|{F} asked if you could {b}.|We would like you to {b} as soon as you can.|You said that you would {b}. Did you?|Please do not forget to {b}.|I want to {b}. Do you know how?|I would like to {b}, but {F} has the key.|Can we {b} together on {d}?|Shall I {b}, or will you?|Please {b} and send me the bill.|Be a dear and {b}.|Let me know when you are able to {b}.|I will {b} if you {b}.|Kindly {b} and confirm by return.|Please {b}; I will pay you back.|Do you think you could {b} and tell {F}?|May I ask you to {b}?|My account is locked, so I cannot {b}. Could you?|My {W} is {n} and my user name is {u}.|I have attached the list.|You will find the details below.'.split('|')
WHY = 'I would do it myself, but I have no time this week.|I am away until {d}.|It is for my sister.|{F} is ill and cannot do it.|The deadline is {d}.|I will pay you back on {d}.|It should not take more than {n} minutes.|No hurry.|It is rather urgent for me.|My card does not work here.|I know that you are busy.|There is no hurry, any time before {d} is fine.|We need it for the {T}.|I have lost my login.|My computer broke down.|You are the only one I can ask.|{F} will help you with it.|The budget is {m}.|I can be reached at {e}.|Call me if anything is unclear.|You have been so helpful before.|I really appreciate it.'.split('|')
CLOSE = 'Best|Best regards|Kind regards|Thanks|Thank you|Many thanks|Thanks a lot!|Cheers|Love|Yours|Sincerely|All the best|See you soon|Talk soon|Regards|Warmly|Greetings from {c}|Thanks in advance|With best wishes|Take care|-'.split('|')
HELLO = 'Hi {F},|Hello {F},|Dear {F},|Hey {F}!|{F},|Dear {N},|Good morning {F},|Hi all,|Dear team,|Hello,|Hi {F}!|Dear colleagues,|Hi there,|Good evening,|Hello everybody,|Dear customer,|'.split('|')
TASKS = 'TODO: {b}|TODO: {b} ({F})|TODO {b}|# TODO: {b}|// TODO: {b}|// TODO({u}): {b}|/* TODO {b} */|-- TODO {b}|FIXME: {b}|- [ ] {B}|- [x] {B}|[ ] {b}|* {b} ({F})|{F}: {b}|{F} to {b}|{B} - {F}, {d}|Note to self: {b}|Note for {F}: {b}|Reminder: {b} on {d}|Reminder for {F}: {b}|Reminder: {T} at {h}|Note: {F} {p} on {d}|Note: it is not possible to {b}|Note: we {p} last week|Next: {b} ({F})|Next step: {F} will {b}|Next steps: {F} and {F} {b}|Open: {b} (waiting for {F})|Pending: {b}, asked {F} on {d}|Assigned to {F}: {b}|Owner {F}, due {d}: {b}|Follow-up: {F} {p}|I still have to {b}|I must not forget to {b}|We should {b} some day|Ask {F} whether to {b}|{F} wants us to {b}|Update: {p}|Update: {F} {p}, thanks|Important: {F} must {b} before {d}|Decision: we {b} in spring|Idea: {b}|Plan: {b}, then {b}|Done: {b}|Today I {p}|Later: {b}|Someday: {b}|Homework for {F}: {b}|P.S. {F} says hello|P.S. I {p}'.split('|')
RULES = 'The student must {b}.|The tenant shall {b}.|The customer has to {b} before {d}.|Drivers must {b}.|The nurse needs to {b}.|It is not necessary to {b}.|There is no need to {b}.|You do not have to {b}.|Why would anyone {b}?|I would not {b}.|The law requires tenants to {b}.|The parser must {b}.|The estate agent will {b}.|The assistant manager {p}.|The agent {p} and left.|The model {t}.|The bot {t} every {n} hours.|The system {t} at night.|Members may {b} once a year.|Visitors are asked to {b}.|Passengers are requested to {b}.|Contributors should {b} before they open a pull request.|Reviewers {b} within {n} days.|Parents have to {b}.|Nobody is allowed to {b}.|The seller will {b} within {n} days.|The operator shall {b} without delay.|Staff: {b} before closing.|Volunteers {b} on {d}.|The plan is to {b}.|My job was to {b}.|Her task is to {b}.|The team has been told to {b}.|It was important to {b}.|It took courage to {b}.|{G} is optional.|{G} is not recommended.|{G} costs {m}.|We recommend {g}.|Consider {g}.|Start by {g}.|Avoid {g}.|Try {g}.'.split('|')
NEWS = 'fixed: {p}|added: {b} from the menu|changed: the client {t} only once|removed the option to {b}|docs: {b}|It is now possible to {b}|You can now {b}|Now {t} by default|No longer {t}|Improved: {t} faster'.split('|')
HEADS = 'Usage|Install|Setup|Getting started|Contributing|Troubleshooting|Release|Deploy|Requirements|Quick start|How it works|FAQ|Support|Before you begin|Care|Delivery and returns|Safety|Assembly'.split('|')


def fill(s, pattern, make):
    deed = make()
    return put(s, pattern.replace('{g}', deed.gerund), deed)


def body(s, say, make, asks=0.7):
    """Paragraphs of a mail."""
    out = [fill(s, s.pick(OPEN), make) + s.pick(['.', '.', '!', ','])] if s.chance(0.5) else []
    for _ in range(s.pick([1, 1, 2, 2, 3, 4])):
        if s.chance(asks):
            out.append(fill(s, s.pick(WANT), make) + (' ' + fill(s, s.pick(WHY), make) if s.chance(0.5) else ''))
        else:
            out.append(say())
    if s.chance(0.2):
        mark = s.pick(['- ', '* ', '{}. ', '{}) '])
        out.append('\n'.join(mark.replace('{}', str(i + 1)) + s.pick([capital(make().base), put(s, s.pick(['{pr}', '{T}', '{n} x {pr}', '{F}: {m}']), None)]) for i in range(s.number(2, 4))))  # fmt: skip
    return s.pick([' ', '\n\n', '\n\n', '\n']).join(out)


def letter(s, say, make, asks=0.7):
    if s.chance(0.08):
        return fill(s, s.pick(ASKED), make)
    parts = [put(s, s.pick(HELLO), None), body(s, say, make, asks), put(s, s.pick(CLOSE), None) + s.pick([',\n', ', ', '\n', ' ']) + s.pick([s.name, s.first, s.first])()]
    return s.pick(['\n\n', '\n', '\n\n', ' ']).join(p for p in parts if p)


def mail(s, say, make):
    return {
        'id_': str(s.number(0, 99)), 'sender': s.email(), 'recipients': [s.email()], 'cc': [], 'bcc': [],
        'subject': s.pick([s.topic().title(), 'Re: ' + s.topic(), 'Help', 'Question', s.product().title(), capital(make().base), 'Hello from ' + s.city(), 'Urgent request', 'Favour']),
        'body': letter(s, say, make), 'status': s.pick(['received', 'received', 'sent']), 'read': s.chance(0.5), 'timestamp': f'{s.date()} {s.time()}', 'attachments': [],
    }  # fmt: skip


def mailbox(s, say, make):
    mails = [mail(s, say, make) for _ in range(s.pick([1, 1, 2, 2, 3]))]
    shape = s.number(0, 4)
    if shape == 0:
        return json.dumps(mails, indent=s.pick([None, 2]))
    if shape == 1:
        return str(mails)
    out = []
    for m in mails:
        if shape == 2:
            out.append(f'From: {m["sender"]}\nTo: {m["recipients"][0]}\nSubject: {m["subject"]}\nDate: {m["timestamp"]}\n\n{m["body"]}')
            continue
        keys = sorted(m) if s.chance(0.6) else list(m)
        lines = []
        for k in keys:
            v = m[k]
            if k == 'body':
                lines.append(f"body: '{v}'".replace('\n', '\n\n    ') if shape == 3 else 'body: "' + v.replace('\n', '\\n') + '"')
            elif isinstance(v, list):
                lines.append(f'{k}: []' if not v else f'{k}:\n  - {v[0]}')
            else:
                lines.append(f'{k}: {str(v).lower() if isinstance(v, bool) else v}')
        out.append('- ' + '\n  '.join(lines))
    return s.pick(['\n', '\n\n---\n\n', '\n\n']).join(out)


def thread(s, say, make):
    people = [s.first() for _ in range(s.number(2, 3))]
    lead = s.pick(['{p}: ', '[{h}] {p}: ', '<{p}> ', '{p} ({h}): ', '{h} {p} - ', '**{p}**: '])
    lines = []
    for i in range(s.number(2, 6)):
        text = fill(s, s.pick(s.pick([WANT, WHY, OPEN, TASKS])), make) if s.chance(0.55) else s.pick([say, lambda: s.pick(['ok', 'sure', 'thanks!', 'will do', 'done', 'on it', 'lol', 'no idea', '+1', 'good point', 'tomorrow?'])])()
        lines.append(lead.replace('{p}', people[i % len(people)]).replace('{h}', s.time()) + text)
    return '\n'.join(lines)


def ticket(s, say, make):
    head = {'id': s.order(), 'title': s.pick([capital(make().base), 'Cannot ' + make().base, s.topic().title()]), 'status': s.pick(['open', 'closed', 'in progress']), 'assignee': s.user(), 'priority': s.pick(['low', 'high', 'P2'])}
    comments = [{'author': s.user(), 'body': fill(s, '@{u} ' + s.pick(WANT) if s.chance(0.4) else s.pick(TASKS + TOLD + RULES), make)} for _ in range(s.number(0, 3))]
    text = say() + ' ' + fill(s, s.pick(['Expected: {t}.', 'Steps: {b}, then {b}.', 'It should be possible to {b}.', 'I tried to {b}.', 'As a user I want to {b}.', 'When I {b}, nothing happens.']), make)
    if s.chance(0.5):
        return s.pick([str, json.dumps])({**head, 'description': text, 'comments': comments})
    return '\n'.join([f'{k}: {v}' for k, v in head.items()] + ['', text, ''] + [f'{c["author"]}: {c["body"]}' for c in comments])


def notes(s, say, make):
    head = s.pick(['', '', f'# {s.topic().title()}\n', f'Notes of {s.first()}, {s.date()}\n', f'{s.topic().title()} - minutes, {s.date()}\n', 'To do\n', 'TODO\n', f'{s.name()}, list\n', '## Next steps\n'])  # fmt: skip
    return head + '\n'.join(fill(s, s.pick(TASKS), make) if s.chance(0.75) else say() for _ in range(s.number(2, 6)))


def source(s, say, make):
    lines = ['def load(path):', '    return json.load(open(path))', 'const app = express();', 'if err != nil { return err }', 'for row in rows:', '    total += row.price', 'export default config;', 'SELECT * FROM orders;', 'class Cart:', '    pass', 'import { z } from "zod";', 'x = max(a, b)', '}', 'return None', 'print(len(items))']  # fmt: skip
    mark = s.pick(['# ', '// ', '-- ', ' * ', '/// ', '; '])
    out = []
    for _ in range(s.number(1, 4)):
        out += s.r.sample(lines, k=s.number(0, 3))
        deed = make()
        out.append(mark + s.pick([f'TODO: {deed.base}', f'TODO({s.user()}): {deed.base}', f'FIXME {deed.base}', f'NOTE: {deed.third}', capital(deed.base), capital(deed.base) + '.', capital(deed.third) + '.', say()]))  # fmt: skip
    return '\n'.join(out + s.r.sample(lines, k=s.number(0, 3)))


def manual(s, say, make):
    out = [f'# {s.pick([s.product, s.topic, s.word])().title()}'] if s.chance(0.7) else []
    for _ in range(s.number(1, 3)):
        out.append('## ' + s.pick(HEADS))
        style = s.number(0, 2)
        if style == 0:
            out.append(' '.join(fill(s, s.pick(MANUAL + RULES), make) for _ in range(s.number(1, 3))))
        elif style == 1:
            out.append('\n'.join(f'{i + 1}. {capital(make().base)}.' for i in range(s.number(2, 4))))
        else:
            out.append(say() + '\n\n```\n' + f'{s.word()} {s.pick(["install", "run", "start", "add", "--help"])} {s.word()}\n```')
    return '\n\n'.join(out)


def product(s, say, make):
    parts = [put(s, s.pick(SHOPS), None) if s.chance(0.4) else fill(s, s.pick(['Lets you {b}.', 'Made for people who {b}.', 'Use it to {b}.', '{B} with ease.', '{B} like never before.', 'Now you can {b} anywhere.', 'Perfect when you want to {b}.']), make) if s.chance(0.5) else say() for _ in range(s.number(1, 4))]  # fmt: skip
    item = {'name': s.product().title(), 'price': s.number(1, 900) + 0.5, 'description': ' '.join(parts), 'reviews': [opinion(s) for _ in range(s.number(0, 4))]}
    if s.chance(0.6):
        return s.pick([str, json.dumps])(item)
    return f'{item["name"]} - {s.amount()}\n\n{item["description"]}\n\nReviews:\n' + '\n'.join('- ' + r for r in item['reviews'])


def notice(s, say, make):
    """What a shop, an office or a newsletter tells its readers."""
    lines = [fill(s, s.pick(s.pick([RULES, RULES, SHOPS, MANUAL, NEWS])), make) for _ in range(s.number(2, 5))]
    head = s.pick(['', f'Notice - {s.topic()}\n\n', f'News from {s.host()}\n\n', f'Version {s.number(0, 9)}.{s.number(0, 30)}\n', f'Job: {s.topic()} ({s.city()})\n', 'Terms\n\n', 'House rules\n'])
    return head + s.pick(['\n', ' ', '\n- ', '\n\n']).join(lines)


DOCUMENTS = [mailbox, mailbox, mailbox, mailbox, letter, letter, thread, thread, ticket, ticket, notes, notes, source, manual, manual, product, product, notice]


def document(s, say, make):
    """(shape, text)"""
    shape = s.pick(DOCUMENTS)
    return shape.__name__, shape(s, say, make)
