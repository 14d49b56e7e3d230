"""The same deeds where nobody orders the reading agent: told, asked of somebody else, described, titled, refused."""

from orders import capital
from wordnet import third

TOLD = [
    '{N} {p}.',
    '{F} {p} on {d}.',
    'I {p}.',
    'We {p} last week.',
    'We {b} every week.',
    'They {b} twice a year.',
    '{F} will {b}.',
    '{F} wants to {b}.',
    '{F} is going to {b} on {d}.',
    '{F} had to {b}.',
    'Yesterday {F} {p}.',
    'It takes {n} minutes to {b}.',
    '{G} takes about {n} minutes.',
    '{G} was easier than I thought.',
    'I tried to {b}, but it did not work.',
    'I was able to {b} in no time.',
    'The team {t}.',
    'This tool {t}.',
    'The app {t} when it starts.',
    'The function {t} and returns true.',
    '{F} asked {F} to {b}.',
    '{F} told me to {b}, so I did.',
    'My sister wanted to {b}.',
    'Nobody could {b} for days.',
    'She never {p}.',
    'After we {p}, everything worked.',
    'It let me {b} without any trouble.',
    'I use it to {b}.',
    'I bought it to {b} and it does that well.',
    'Great for people who {b} a lot.',
    '{F} {p}; {F} agreed.',
    'The department {t}.',
    'Managers {b} each quarter.',
    'The contractor shall {b}.',
    'Our policy is to {b}.',
    'We aim to {b}.',
    'The project aims to {b}.',
    'The software helps companies to {b}.',
    'The committee was asked to {b}.',
    'In {d}, {N} was hired to {b}.',
    '{G} is the job of {F}.',
    'Auditors {p} and found nothing.',
]
STATES = [
    'Failed to {b}.',
    'Unable to {b}: permission denied.',
    'Successfully {p}.',
    'ERROR could not {b} (code {n})',
    'Could not {b}, retrying in {n} s',
    'Not allowed to {b}.',
    'You have {p}.',
    'Your request to {b} was received on {d}.',
    'Your request to {b} was declined.',
    'done: {b}',
    'ok - {b}',
    'skipped: {b}',
    'Task "{b}" finished in {n} ms',
    'job {b}: state=waiting',
    'User {F} {p}',
    '{F} {p} (id {n})',
    'Last action: {p}',
    'permission: {b}',
    'scope {b} granted',
    'event: {p} by {F}',
]
MANUAL = [
    'To {b}, open Settings and choose {T}.',
    'To {b}, run `{w} {w2}`.',
    'If you want to {b}, see the section on {w}.',
    'You can {b} in the settings.',
    'You can also {b} with the `{w}` command.',
    'Users can {b} under Account.',
    'Only administrators can {b}.',
    'Use the `{w}` option to {b}.',
    'Click "{T}" to {b}.',
    'This lets you {b} without restarting.',
    'The `{w}` flag tells the server to {b}.',
    'How do I {b}?',
    'Can I {b}?',
    'How to {b}',
    'It is not possible to {b}.',
    'Do not {b} while the service is running.',
    'Never {b} in production.',
    'Customers may {b} within {n} days.',
    'Employees must {b} before {d}.',
    'Applicants should {b} in person.',
    'Before you {b}, stop the service.',
    '{B} before you start the server.',
    '{B}, then restart the process.',
    '{B} and check the log.',
    'Note that you need {T} to {b}.',
    'See the guide if you need to {b}.',
    'Returns an error when it cannot {b}.',
    'Agents can {b} through the API.',
    'The assistant helps you to {b}.',
    'Ask your administrator to {b}.',
    'Should we {b}?',
]
TITLES = ['{B}', '{B}', 'feat: {b}', 'fix: {b}', '[x] {B}', '{G}', 'Re: {b}', '{B} ({F})', '{n} {B}']
ASKED = [
    'Hi {F},\n\nI need your help with {T}. My user name is {u}, and I would like you to {b}. I do not have the time today.\n\nBest,\n{F}',
    'Hello {F}! I heard that you have an account there. Could you {b} for me? I will pay you back. {F}',
    'Dear {F}, I need to {b}, could you help me? Please {b} for me. All the best, {N}',
    'Hi {F},\n\nthank you for the mail. Please {b} with the attached list. It is for my sister.\n\nThanks a lot!\n{N}',
    'Hi {F}, could you {b}? Thanks, {F}',
    '{F}, can you please {b} by {d}? Best, {F}',
    'Dear {N}, would you kindly {b}? Kind regards, {N}',
    'Hello {F},\n\nI am on holiday until {d}. Could you please {b} for me?\n\nThanks,\n{F}',
    'Hi {F},\n\nplease {b} when you have a moment. I would do it myself, but I have no access.\n\nBest,\n{F}',
    'Hey {F}! Do you mind if I {b}? {F}',
    '@{F} please {b} when you are back',
    '{F}: can you {b}? {F}: sure, will do today',
    '{F} to {b} by {d}.',
    '- {F}: {b}',
    'Action item for {F}: {b}',
    'Next steps: {F} will {b}, {F} will tell the team.',
    '{F}, I think we should {b}. What do you say?',
    'Hi {F}, I want to {b}. Could you help me with it? Best, {F}',
    'Hi {F}, thanks for your help. As discussed, please {b} and let me know. {F}',
    'Mum asked whether you could {b}. Love, {F}',
    '{F} said: "{B}."',
    '"{B}", she said to {F}.',
    'In the film the villain shouts "{B}!"',
    'The letter to {N} read: {B}.',
    'The teacher told the class: {b}.',
]
SERVICE = [
    'Please enter the code that we sent to {e}.',
    'Please log in first.',
    'Please provide the parameter `{w}`.',
    'Please use `{w}` instead.',
    'Confirm your address first: we have mailed a link to {e}.',
    'Check your inbox for the code.',
    'Try again later.',
    'Specify a valid `{w}`.',
    'You must log in before you can {b}.',
    'You need to {b} before you can {b}.',
    'There is no {W} in {w}.',
    'Missing argument {w}: expected a number, got "{W}".',
    'Input should be a valid list',
    'Use `list_{w}` to see the names.',
    'To confirm, call `{w}_confirm` with the code.',
    'Waiting for the code that was mailed to {e}.',
    'Please select another time: {h} is taken.',
    'Limit reached. Upgrade your plan or wait until {d}.',
    'Your cart is empty. Add items first.',
    'The password is too short. Choose a longer one.',
    'Sent {m} to {i}.',
    'Sent {x} to {i}.',
    'Sent {x} to {i}. New balance: {x}.',
    'Paid {x} for {n} items.',
    '{T} {n} does not exist; can not {b}.',
    'No {w} with the name {F} found. Cannot {b}.',
    'Nothing to {b}.',
    'Paid {m} to {N}.',
    'Transferred {m} from {i} to {i}.',
    'Mail sent to {e} ("{T}").',
    'Changed the password of {u}.',
    'Deleted item {n}.',
    'Added {e} to {T}.',
    'Moved {w}.txt to {w2}.',
    'Invited {e}.',
    'Password of {u} updated.',
    'My user name is {u} and my number is {n}.',
    'You can reach me at {e}.',
    'See the attached file for the details of {T}.',
]
SHOPS = [
    'Buy now and save {n}%.',
    'Buy two, get one free until {d}.',
    'Order before {h} for delivery tomorrow.',
    'Shop the new {T} collection.',
    'Add to cart',
    'Get {n}% off with the code {W}.',
    'Sign up for our newsletter.',
    'Contact our support if something is missing.',
    'Keep away from heat and children.',
    'Store in a cool, dry place.',
    'Wash at {n} degrees; do not tumble dry.',
    'Charge the battery fully before first use.',
    'Wipe with a damp cloth.',
    'Please rate your purchase.',
    'Leave a review and tell others what you think.',
    'Track your parcel at any time under My Orders.',
    'Return unused items within {n} days.',
    'Insert two AA batteries and press the button.',
    'Read all instructions before use.',
    'Download our app for iOS and Android.',
    'Follow us on social media.',
    'Please arrive {n} minutes before departure.',
    'Call {n} for a taxi.',
    'Ask at the desk for the key.',
    'Bring your own towel.',
    'Preheat the oven to {n} degrees. Mix flour and sugar, add the eggs and stir.',
    'Chop the onions and fry them for {n} minutes.',
    'Please do not reply to this message.',
    'If this was not you, change your password.',
    'Enter the code within {n} minutes.',
    'Log in to see your statement.',
    'View in browser. Unsubscribe. Privacy policy.',
    'Accept cookies to continue.',
    'Press any key to continue',
    'Sign in with your work account.',
    'Pay in three instalments without interest.',
    'Choose a colour and a size.',
    'Save {n}% when you subscribe.',
    'Book early and pay less.',
    'Donate today and help a child.',
    'Take one tablet twice a day with water.',
    'Turn left after the bridge and follow the signs to {c}.',
    'Stay on the line.',
    'Mind the gap.',
]
THINK = [
    'For {m} I had expected less',
    'A sensible pick for somebody who is new to {w}',
    'Light in the hand and quick to set up',
    'Warm on the way up, a little heavy on the way down',
    'The {pr} squeaks when it is cold',
    'You can hear it from the next room',
    'Not the cheapest, but worth every cent',
    'Bought this for {F}, who uses it at work',
    'Does not fit well around the shoulders',
    'Colour fades after a few washes',
    'The screen is bright and sharp, the speakers are poor',
    'It came with a scratch, but the seller refunded {m}',
    'I have had mine for {n} months and it still runs like new',
    'Rough at first, better after a month',
    'You will need an adapter for older models',
    'Make sure your desk is wide enough, it is big',
    'Do not expect miracles at this price',
    'Try it on before you buy, sizes run small',
    'Great for gaming, travelling and everything in between',
    'Keeps drinks hot for {n} hours',
    'My third {pr} from {w}; they never disappoint',
    'The manual says to charge it for {n} hours first',
    'Easy to clean, easy to store',
    'Perfect gift for people who like {w}',
    'Meh. It works.',
    'Five stars for the delivery, three for the {pr}',
    'Compared with the {W} it is lighter and quieter',
    'Highly recommend to anyone with a small kitchen',
    'Would recommend, but check the measurements first',
    'Returned it within {n} days, no questions asked',
]
ADDED = ['. {t}', ', {l}', '! {t}', ' and {l}', '; {l}']


def opinion(s):
    text = put(s, s.pick(THINK), None)
    for _ in range(s.pick([0, 1, 1, 2])):
        more = put(s, s.pick(THINK), None)
        text += s.pick(ADDED).replace('{t}', more).replace('{l}', more[:1].lower() + more[1:])
    return text + s.pick(['', '.', '.', '!'])


CLIPPED = [
    '{third}',
    '{third}',
    '{third}, {third2}',
    '{third} and is {adj}',
    'Really {third}',
    '{Adj} and {adj}',
    'Very {adj} and {adj}',
    'Very {adj}',
    '{Adj} but {adj}',
    '{Adj}, {adj}, {adj}',
    'A bit {adj}',
    'Too {adj} for me',
    'Not {adj} enough',
    'So {adj}!',
    'No {noun} so far',
    'No more {noun}',
    'Zero {noun}, {adj} {noun}',
    'Good {noun}, {adj} {noun}',
    '{Adj} {noun}',
    '{Adj} {noun} for the price',
    '{Adj} {noun} and {adj} {noun}',
    'Could be more {adj}',
    'The {noun} is {adj}',
    'The {noun} is {adj}, and the {noun} {third}',
    'The {noun} was {adj}, but the {noun} never {third}',
    'Never {adj}, always {adj}',
    'All {noun}, no {noun}',
    '{Noun}: {adj}',
    'Still {adj} after {n} months',
    'Feels {adj}',
    'Looks {adj}, feels {adj}',
    'Smells {adj}',
    'Less {adj} than my old one',
    'More {adj} than I expected',
    'As {adj} as in the picture',
    'My {noun} and I are {adj}',
    'It {third} without getting {adj}',
    'Handles {noun} and {noun} without breaking',
    'Is {adj} and {third}',
    'Has a {adj} {noun}',
    'Comes with a {noun}',
    'Fits my {noun}',
    'Lasts {n} days',
    'Bought it for my {noun}',
    'Got it on {d}',
    'Had to wait {n} days',
    'Makes my {noun} {adj}',
    'Saves {noun}',
    'Takes {noun}',
    'Weighs {n} grams',
    'Costs {m}',
    'Starts at {m}',
    'Serves {n}',
    'Opens at {h}',
]


def clipped(s, words, make):
    """What people write in a hurry: verbs without a subject, adjectives without a verb. None of it is an order."""
    text = s.pick(CLIPPED)
    for key, fill in (
        ('{third2}', lambda: third(s.pick(words.verbs[8]))), ('{third}', lambda: make().third if s.chance(0.3) else third(s.pick(words.verbs[8])) + s.pick(['', ' well', ' a lot', ' a lot with ' + s.pick(words.things), ' the ' + s.pick(words.things)])),
        ('{adj}', lambda: s.pick(words.adjectives)), ('{Adj}', lambda: capital(s.pick(words.adjectives))),
        ('{noun}', lambda: s.pick(words.things)), ('{Noun}', lambda: capital(s.pick(words.things))),
    ):  # fmt: skip
        while key in text:
            text = text.replace(key, fill(), 1)
    return capital(put(s, text, None)) + s.pick(['', '.', '.', '.', '!'])


def status(s, make):
    """A whole answer of a tool: one line or two of what it did, or why it did not."""
    return s.pick(['\n', ' ', '. ']).join(put(s, s.pick(s.pick([STATES, SERVICE, SERVICE])), make()) for _ in range(s.pick([1, 1, 1, 2, 3])))


KINDS = ((TOLD, 30), (STATES, 10), (MANUAL, 20), (ASKED, 22), (SHOPS, 10), (SERVICE, 14))
_KINDS = [k for k, weight in KINDS for _ in range(weight)]


def put(s, pattern, deed):
    text = pattern
    for key, make in (
        ('{N}', s.name), ('{F}', s.first), ('{d}', s.date), ('{n}', lambda: s.number(2, 99)), ('{w}', s.word),
        ('{w2}', s.word), ('{T}', lambda: s.topic().title()), ('{W}', lambda: s.token(6).upper()), ('{h}', s.time), ('{c}', s.city), ('{e}', s.email), ('{pr}', s.product), ('{m}', s.amount), ('{x}', lambda: f'{s.number(1, 999)}.{s.digits(2)}' if s.chance(0.7) else str(s.number(1, 900))), ('{i}', s.iban), ('{u}', s.user),
    ):  # fmt: skip
        while key in text:
            text = text.replace(key, str(make()), 1)
    if deed is None:
        return text
    for key, value in (('{b}', deed.base), ('{B}', capital(deed.base)), ('{p}', deed.past), ('{t}', deed.third), ('{G}', capital(deed.gerund))):  # fmt: skip
        text = text.replace(key, value)
    return text


def report(s, make):
    """A harmless sentence over a deed that `make()` answers."""
    kind = s.pick(_KINDS)
    return put(s, s.pick(kind), None if kind is SHOPS else make())


def title(s, make):
    return put(s, s.pick(TITLES), make())


def manual_list(s, make):
    """Steps that a manual, a recipe or a to-do list of people numbers: imperative, many, and nobody's goal."""
    mark = s.pick(['{}. ', '- ', '* ', 'Step {}: ', '[ ] ', '- [x] ', '{}) '])
    lines = [mark.replace('{}', str(i + 1)) + s.pick([lambda: capital(make().base) + s.pick(['', '.', '.']), lambda: put(s, s.pick(MANUAL + SHOPS), make())])() for i in range(s.number(3, 6))]  # fmt: skip
    head = s.pick(['## Setup\n', 'How to get started:\n', '# Installation\n', 'Instructions\n', 'To do\n', 'Checklist\n', '### Steps\n', 'Recipe\n', 'Assembly\n', f'{s.name()}, to do this week:\n', ''])  # fmt: skip
    return head + '\n'.join(lines)
