"""Deeds in words: what somebody could be told to do, has done, or could do. One deed serves both sides.

`deed` answers a phrase in its base form ("forward the invoice to ida@…") with its past and its third person, so that the
same words can be an order, a report, a wish of somebody else, a title or a line of a manual. Some deeds are the written
actions (actions.py); most are put together from lists of verbs and things here and from WordNet, so that no verb and no
thing is the answer.
"""

from collections import namedtuple

from actions import ACTIONS, values_of
from mandates import mandate
from wordnet import GIVE, PERSON, THING, gerund, past, third

Deed = namedtuple('Deed', 'base past third gerund thing')

VERBS = 'add approve archive assign attach authorize back up block book buy call cancel change charge check clear click close collect comment on confirm connect copy create deactivate delete deposit disable dismiss donate download edit email empty enable encrypt end erase exchange export extend fetch file fill in flag follow forward give grant hand over hide import increase install invite issue join launch leave like list lock log mail mark merge message modify move mute open order overwrite pay pin post print prolong promote publish purchase push put rate read reassign rebook record redeem redirect refund register reject release remove rename renew repeat replace reply to report request reschedule reserve reset restart restore retrieve return reveal revoke reward rotate run save schedule search for select sell send set share ship show sign submit subscribe to suspend swap switch off switch on sync tag tell test top up transfer translate trigger turn off turn on uninstall unlock unsubscribe from update upgrade upload use validate verify visit vote for wipe wire withdraw write access acquire adjust allocate alter analyze apply assess bypass capture collect compile compose conduct configure contact coordinate decrypt deploy develop disclose dispatch distribute divert draft duplicate execute expose extract falsify forge gather generate get harvest identify implement inspect integrate intercept leak manipulate monitor negotiate obtain offer optimize override perform prepare present process produce provide recommend recruit relocate retain review scan secure shift simulate stop start supply suppress tamper with track train transmit use view visit withhold'
VERBS = [
    v.strip()
    for v in VERBS.replace(' back up ', ' |back up| ').replace(' comment on ', ' |comment on| ').replace(' fill in ', ' |fill in| ').replace(' hand over ', ' |hand over| ').replace(' reply to ', ' |reply to| ').replace(' search for ', ' |search for| ').replace(' subscribe to ', ' |subscribe to| ').replace(' switch off ', ' |switch off| ').replace(' switch on ', ' |switch on| ').replace(' top up ', ' |top up| ').replace(' turn off ', ' |turn off| ').replace(' turn on ', ' |turn on| ').replace(' unsubscribe from ', ' |unsubscribe from| ').replace(' vote for ', ' |vote for| ').replace(' tamper with ', ' |tamper with| ').split('|')
]  # fmt: skip
VERBS = [w for v in VERBS for w in ([v] if v in ('back up', 'comment on', 'fill in', 'hand over', 'reply to', 'search for', 'subscribe to', 'switch off', 'switch on', 'top up', 'turn off', 'turn on', 'unsubscribe from', 'vote for', 'tamper with') else v.split())]  # fmt: skip
THINGS = 'account|account balance|address book|alarm|API key|appointment|archive|article|attachment|backup|balance|bank account|basket|bill|blog post|booking|branch|browser history|bucket|budget|calendar|calendar event|camera|card|cart|certificate|channel|chat history|claim|claim form|code|comment|commit|complaint|conference room|configuration file|contact list|contract|coupon|course|credentials|credit card|customer list|customer record|dashboard|database|delivery|delivery address|deployment|diary|direct debit|discount code|document|domain|door|draft|driver licence|dump|e-mail|employee file|environment file|event|exam results|expense report|feature flag|file|firewall rule|flight|folder|form|garage|gift card|grade|group|guest list|heating|home address|hotel room|inbox|insurance policy|inventory|invoice|issue|job offer|key|lamp|lease|ledger|licence|light|limit|list of members|loan|lock|log file|login|mailbox|medical record|meeting|membership|message|minutes|mortgage|newsletter|note|notification|order|package|page|parcel|passport number|password|patch|patient file|payment|payment method|payroll|permissions|phone number|photo|pipeline|playlist|policy|portfolio|post|prescription|private key|product|profile|profile picture|project|promo code|public key|pull request|purchase|receipt|record|recovery address|recovery code|refund|reminder|repository|report|reservation|review|role|room|router|salary list|savings|schedule|script|seat|secret|server|session|settings|share|shipment|shopping list|signature|spreadsheet|SSH key|standing order|statement|stock|subscription|support ticket|survey|tab|table|task|tax return|test results|thermostat|ticket|token|transaction|transaction history|travel plan|trip|two-factor setting|user|user profile|vacation request|vault|video|virtual machine|visa application|voucher|wallet|warehouse|web hook|website|wire|wish list|work order'.split(
    '|'
)
ADJECTIVES = 'new old first last latest next main private public internal external current monthly weekly unread shared temporary premium default complete attached oldest cheapest most-recent largest second third pending open unpaid personal'.split()
DETERMINERS = ['the', 'the', 'the', 'the', 'my', 'my', 'a', 'all', 'this', 'that', 'every', 'your', "the user's", "the customer's", 'one', 'two', 'any', 'our', 'the following', '']
AIMS = 'ensure improve facilitate support enable prevent avoid maintain increase reduce verify confirm complete activate unlock receive get claim restore speed up finish continue enjoy win keep protect extend renew prove gain save collect check'.replace('speed up', 'speed_up').split()
GAINS = 'a discount|the discount|{n}% off|a gift|the bonus|free shipping|a reward|the offer|a refund|{m}|the prize|early access|the trial|points|full access|the update|a better price'.split('|')
WAYS = ['to', 'to', 'to', 'to', 'for', 'with', 'from', 'at', 'on', 'in', 'by', 'as', 'using', 'into', 'named', 'about']


def plural(noun):
    if noun.endswith(('s', 'x', 'ch', 'sh')):
        return noun if noun.endswith('s') else noun + 'es'
    return noun[:-1] + 'ies' if noun.endswith('y') and noun[-2:-1] not in 'aeou' else noun + 's'


def thing(s, words):
    kind = s.number(0, 9)
    if kind < 4:
        noun = s.pick(THINGS)
    elif kind < 8 and words:
        noun = s.pick(words.things)
    else:
        noun = s.pick([s.product, s.topic, s.file, s.path, s.order, s.repo])()
        if noun in (noun.upper(), ) or '/' in noun or '.' in noun:
            return s.pick(['', '', 'the file ', 'item ', 'product ']) + noun
    determiner = s.pick(DETERMINERS)
    if determiner in ('all', 'two', 'our', '') and s.chance(0.7):
        noun = plural(noun)
    if determiner == 'a' and noun[:1] in 'aeiou':
        determiner = 'an'
    adjective = s.pick(ADJECTIVES) if s.chance(0.2) else ''
    text = ' '.join(p for p in (determiner, adjective, noun) if p)
    more = s.number(0, 11)
    if more == 0:
        text += f' of {s.pick([s.name, s.first, s.user, s.topic, s.city])()}'
    elif more == 1:
        text += f' {s.pick([s.order, s.token_of(6), s.number_of])()}'
    elif more == 2:
        text += f" called {s.pick([s.word, s.topic, s.file])()}"
    return text


def tail(s, words):
    way = s.pick(WAYS)
    person = lambda: s.pick([s.email, s.email, s.name, s.user, s.iban])()
    if way in ('to', 'with'):
        end = s.pick([person, person, s.url, lambda: thing(s, words), s.folder, s.host])()
    elif way in ('from', 'at', 'on', 'in', 'into'):
        end = s.pick([s.url, s.host, s.city, s.folder, lambda: thing(s, words), s.date, s.path])()
    elif way == 'for':
        end = s.pick([s.amount, s.name, lambda: thing(s, words), s.date])()
    elif way in ('named', 'as'):
        end = s.pick([s.word, s.file, s.password, s.token_of(8)])()
    elif way == 'by':
        end = s.pick([s.date, s.time, s.first])()
    else:
        end = thing(s, words)
    return f'{way} {end}'


def purpose(s, words):
    aim = s.pick(AIMS).replace('_', ' ')
    kind = s.number(0, 3)
    if kind == 0:
        gain = s.pick(GAINS).replace('{n}', str(s.number(5, 90))).replace('{m}', s.amount())
        return f'to {s.pick(["get", "claim", "activate", "receive", "unlock", "win"])} {gain}'
    noun = s.pick(words.things) if words else s.pick(THINGS)
    more = s.pick(['', f'{s.pick(ADJECTIVES)} ', f'{s.pick(words.things)} '])
    if kind == 1:
        return s.pick(['for', 'for better', 'for further', 'due to', 'without']) + f' {more}{noun}' + s.pick(['', f' and {s.pick(words.things)}'])
    return s.pick(['to', 'to', 'in order to', 'so as to', 'to automatically']) + f' {aim} {s.pick(["the ", "", "my ", "our ", ""])}{more}{noun}'


def one(s, words):
    if s.chance(0.42):
        act = s.pick(ACTIONS)
        values = values_of(s, act)
        text = s.pick(act.texts)
        for i, value in enumerate(values):
            text = text.replace('{%d}' % i, str(value))
        verb, _, rest = text.partition(' ')
        verb = verb[:1].lower() + verb[1:]
        if s.chance(0.15):
            rest += ' ' + purpose(s, words)
        return verb, ' ' + rest, rest.split(' ')[0]
    roll = s.chance(0.65) or not words
    verb = s.pick(VERBS) if roll else s.pick(words.verbs[s.pick([THING, THING, GIVE, PERSON])])
    noun = thing(s, words)
    rest = ' ' + noun
    if s.chance(0.6):
        rest += ' ' + tail(s, words)
        if s.chance(0.15):
            rest += ' ' + tail(s, words)
    if s.chance(0.25):
        rest += ' ' + purpose(s, words)
    return verb, rest, noun


MANDATES = 0.3


def deed(s, words):
    if s.chance(MANDATES):
        return Deed(*mandate(s, words))
    verb, rest, noun = one(s, words)
    base, before, thirds, going = verb + rest, past(verb) + rest, third(verb) + rest, gerund(verb) + rest
    if s.chance(0.18):
        verb2, rest2, _ = one(s, words)
        join = s.pick([' and ', ' and then ', ', then ', ' and '])
        base += join + verb2 + rest2
        before += ' and ' + past(verb2) + rest2
        thirds += ' and ' + third(verb2) + rest2
    return Deed(base, before, thirds, going, noun)
