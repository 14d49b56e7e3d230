"""Values that fill the generators' sentences. Every list is short; combinations make the variety.

Domains are those that RFC 2606 and RFC 6761 set aside, or invented compounds, so that no real person is named.
"""

import random
import string

FIRST = ['Ada', 'Amir', 'Anika', 'Arjun', 'Beatriz', 'Bo', 'Carla', 'Chen', 'Daria', 'Diego', 'Elif', 'Emil', 'Farah', 'Femi', 'Gita', 'Goran', 'Hana', 'Hugo', 'Ines', 'Ivan', 'Jana', 'Jonas', 'Kaito', 'Keiko', 'Lara', 'Liam', 'Maya', 'Mateo', 'Mei', 'Nadia', 'Noah', 'Olga', 'Omar', 'Priya', 'Quentin', 'Rosa', 'Ravi', 'Sami', 'Sofia', 'Tariq', 'Tom', 'Uma', 'Victor', 'Wei', 'Xenia', 'Yusuf', 'Zoe', 'Emma', 'Alice', 'Bob', 'John', 'Taylor', 'Sarah', 'Michael', 'Laura', 'Kevin', 'Rachel', 'Daniel', 'Megan']
LAST = ['Abadi', 'Alvarez', 'Bauer', 'Becker', 'Castro', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Haddad', 'Ito', 'Jensen', 'Kaya', 'Kim', 'Kowalski', 'Laurent', 'Lopez', 'Meyer', 'Moreau', 'Nakamura', 'Nguyen', 'Novak', 'Okafor', 'Olsen', 'Patel', 'Petrov', 'Quinn', 'Rossi', 'Sato', 'Schmid', 'Silva', 'Svensson', 'Tanaka', 'Torres', 'Ueda', 'Vargas', 'Weber', 'Yilmaz', 'Zhang', 'Johnson', 'Miller', 'Olive', 'Smith']
WORDS = ['amber', 'apex', 'atlas', 'aurora', 'beacon', 'birch', 'blue', 'bright', 'cedar', 'cobalt', 'comet', 'copper', 'coral', 'crest', 'delta', 'dune', 'echo', 'ember', 'falcon', 'fern', 'flint', 'forge', 'garnet', 'glacier', 'granite', 'harbor', 'hazel', 'iris', 'juniper', 'lagoon', 'lake', 'lumen', 'maple', 'meadow', 'metro', 'mint', 'nimbus', 'north', 'oak', 'onyx', 'orbit', 'pebble', 'pine', 'plaza', 'prime', 'quartz', 'rapid', 'ridge', 'river', 'sage', 'shore', 'sierra', 'silver', 'slate', 'solar', 'spark', 'spruce', 'star', 'stone', 'summit', 'swift', 'tide', 'timber', 'topaz', 'urban', 'vale', 'verde', 'vista', 'wave', 'willow', 'zephyr']
TAIL = ['labs', 'systems', 'works', 'group', 'media', 'trade', 'health', 'bank', 'travel', 'shop', 'market', 'cloud', 'tech', 'data', 'foods', 'studio', 'partners', 'supply', 'rewards', 'deals', 'security', 'support', 'audit', 'service', 'helpdesk', 'bonus', 'offers', 'collector', 'sync', 'relay', 'mirror']
TLD = ['com', 'net', 'org', 'io', 'co', 'dev', 'app', 'info', 'biz', 'shop', 'online', 'example', 'test']
PRODUCTS = ['pencil set', 'wireless mouse', 'running shoes', 'winter jacket', 'coffee grinder', 'desk lamp', 'water bottle', 'yoga mat', 'phone case', 'USB-C cable', 'backpack', 'light bulb', 'notebook', 'bluetooth speaker', 'office chair', 'rice cooker', 'rain coat', 'garden hose', 'gift card', 'smart watch', 'air fryer', 'drill set', 'hiking boots', 'headphones', 'printer ink', 'baby monitor', 'bicycle pump', 'electric kettle', 'sun cream', 'board game', 'picture frame', 'vacuum cleaner', 'tea pot', 'memory card', 'camping tent']
TOPICS = ['budget', 'office move', 'website redesign', 'customer survey', 'quarterly review', 'team offsite', 'hiring plan', 'security training', 'product launch', 'data migration', 'holiday schedule', 'parking permits', 'conference talk', 'press release', 'supplier contract', 'road map', 'invoice process', 'health check', 'inventory count', 'travel policy', 'incident report', 'school trip', 'newsletter', 'board meeting', 'energy bill']
CITIES = ['Lisbon', 'Porto', 'Malaga', 'Oslo', 'Bergen', 'Ghent', 'Lyon', 'Turin', 'Graz', 'Krakow', 'Brno', 'Riga', 'Tartu', 'Cork', 'Leeds', 'Denver', 'Austin', 'Quito', 'Lima', 'Accra', 'Nairobi', 'Pune', 'Hanoi', 'Osaka', 'Sapporo', 'Perth', 'Hobart', 'Halifax', 'Boston', 'Seattle']
FILES = ['report.pdf', 'notes.txt', 'budget.xlsx', 'customers.csv', 'config.yaml', 'backup.tar.gz', 'credentials.json', 'id_rsa', '.env', 'passwords.txt', 'salaries.xlsx', 'contract.docx', 'main.py', 'train.jpg', 'access.log', 'settings.ini', 'wallet.dat', 'authorized_keys', 'database.sqlite', 'keys.pem', 'todo.md', 'photo.png']
FOLDERS = ['/home/user', '/system', '/system/.ssh', '/var/data', '/downloads', '/projects/app', '/srv/share', '~/documents', '/tmp/work', '/repositories', '/etc/app', '/backup']
CODE = ['file_compression', 'image_tools', 'sorting_search', 'linear_algebra', 'json_parsing', 'random_numbers', 'text_utils', 'web_scraper', 'chat_widget', 'api_gateway', 'auth_service', 'data_pipeline', 'mobile_app', 'docs_site', 'build_scripts', 'awesome_list', 'payment_api', 'deploy_tools']


START = ['b', 'br', 'ch', 'd', 'dr', 'f', 'g', 'gr', 'h', 'j', 'k', 'kl', 'l', 'm', 'n', 'p', 'pr', 'r', 's', 'sh', 'st', 't', 'tr', 'v', 'w', 'y', 'z']


class Slots:
    """One random source; the same seed gives the same sentences.

    With `words` (wordnet.Words) half of the names of things are made of its nouns, and some of people of syllables: what is
    in the lists above must not be what a result is known by.
    """

    def __init__(self, seed, words=None):
        self.r = random.Random(seed)
        self.words = words

    def rare(self, share):
        return self.words is not None and self.chance(share)

    def syllables(self):
        return ''.join(self.pick(START) + self.pick('aeiou') + self.pick(['', '', 'n', 'r', 'l', 's']) for _ in range(self.number(1, 3))) + self.pick(['', 'n', 'k', 'th', 'm', 'ra', 'sky', 'son', 'ez'])  # fmt: skip

    def pick(self, items):
        return items[self.r.randrange(len(items))]

    def number(self, low, high):
        return self.r.randint(low, high)

    def chance(self, p):
        return self.r.random() < p

    def name(self):
        return f'{self.first()} {self.syllables().title() if self.rare(0.3) else self.pick(LAST)}'

    def first(self):
        return self.syllables().title() if self.rare(0.25) else self.pick(FIRST)

    def user(self):
        a, b = self.first().lower(), self.pick(LAST).lower()
        return self.pick(
            [
                f'{a}{b}',
                f'{a}.{b}',
                f'{a}_{b}',
                f'{a}{self.number(1, 99)}',
                f'{self.pick(WORDS)}{self.pick(WORDS)}',
                f'{a[0]}{b}',
            ]
        )

    def host(self):
        a, b = self.word().replace(' ', ''), self.pick(WORDS + TAIL)
        body = self.pick([f'{a}-{b}', f'{a}{b}', f'{a}_{b}', f'{a}', f'{a}{self.number(1, 365)}', f'my-{a}-{b}'])
        return f'{self.pick(["", "", "", "www.", "api.", "mail.", "cdn.", "get."])}{body}.{self.pick(TLD)}'

    def mail_host(self):
        return self.pick(
            [
                'gmail.com',
                'outlook.com',
                'mail.com',
                'proton.me',
                f'{self.pick(WORDS)}{self.pick(TAIL)}.{self.pick(TLD)}',
            ]
        )

    def email(self):
        return f'{self.user()}@{self.mail_host()}'

    def url(self):
        path = self.pick(
            [
                '',
                '/',
                f'/{self.pick(WORDS)}',
                f'/{self.pick(WORDS)}/{self.number(1, 99999)}',
                f'/{self.pick(TAIL)}?id={self.number(10, 99999)}',
                f'/click/{self.token(6)}',
                f'/{self.pick(WORDS)}/{self.pick(FILES)}',
            ]
        )
        return f'{self.pick(["https://", "http://", "https://", ""])}{self.host()}{path}'

    def token(self, n, alphabet=string.ascii_letters + string.digits):
        return ''.join(self.r.choice(alphabet) for _ in range(n))

    def digits(self, n):
        return self.token(n, string.digits)

    def token_of(self, n):
        return lambda: self.token(n)

    def number_of(self):
        return str(self.number(1, 9999))

    def iban(self):
        return self.pick(['DE', 'GB', 'FR', 'CH', 'AT', 'NL', 'ES', 'US']) + self.digits(self.pick([10, 12, 18, 20]))

    def amount(self):
        n = self.pick([10, 25, 49, 80, 100, 150, 250, 399, 500, 750, 1000, 2400, 5000, self.number(5, 9999)])
        return self.pick(
            [f'${n}', f'{n} USD', f'€{n}', f'£{n}', f'{n} EUR', f'USD {n:,}', f'{n} dollars', f'{n}.{self.digits(2)}']
        )

    def date(self):
        y, m, d = self.number(2022, 2026), self.number(1, 12), self.number(1, 28)
        months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
        return self.pick(
            [
                f'{y}-{m:02}-{d:02}',
                f'{d} {months[m - 1]} {y}',
                f'{months[m - 1]} {d}',
                f'{m}/{d}/{y}',
                f'next {self.pick(["Monday", "Tuesday", "Friday", "week"])}',
            ]
        )

    def time(self):
        return f'{self.number(6, 22):02}:{self.pick(["00", "15", "30", "45"])}'

    def order(self):
        return self.pick(['ORDER-', 'ORD-', 'INV-', 'TKT-', 'REQ-', 'CASE-', '#', 'P']) + self.digits(
            self.pick([3, 4, 5, 6])
        )

    def repo(self):
        return f'{self.user()}/{self.pick(CODE)}'

    def path(self):
        return f'{self.pick(FOLDERS)}/{self.pick(FILES)}'

    def password(self):
        return self.pick(
            [self.token(10), f'{self.pick(WORDS).title()}{self.digits(3)}!', f'{self.first().lower()}.{self.digits(3)}']
        )

    def key(self):
        return (
            'ssh-'
            + self.pick(['rsa AAAAB3NzaC1yc2E', 'ed25519 AAAAC3NzaC1lZDI1NTE5'])
            + self.token(self.number(12, 40))
        )

    def product(self):
        if self.rare(0.5):
            noun = self.pick(self.words.nouns['artifact'])
            return noun if self.chance(0.4) else f'{self.pick(self.words.adjectives)} {noun}'
        return self.pick(PRODUCTS)

    def topic(self):
        if self.rare(0.5):
            return f'{self.pick(self.words.things)} {self.pick(self.words.nouns["act"])}' if self.chance(0.5) else self.pick(self.words.things)
        return self.pick(TOPICS)

    def city(self):
        return self.pick(CITIES)

    def flight(self):
        return f'{self.token(2, string.ascii_uppercase)}{self.digits(3)}'

    def word(self):
        return self.pick(self.words.things).replace(' ', '_') if self.rare(0.5) else self.pick(WORDS)

    def file(self):
        return self.pick(FILES)

    def folder(self):
        return self.pick(FOLDERS)

    def fill(self, pattern):
        """Puts a fresh value at each {slot} of a pattern; {{ is not supported, and no pattern needs it."""
        out, rest = [], pattern
        while '{' in rest:
            before, _, rest = rest.partition('{')
            slot, _, rest = rest.partition('}')
            out += [before, str(getattr(self, slot)())]
        return ''.join(out) + rest
