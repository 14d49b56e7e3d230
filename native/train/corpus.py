"""Reads the detector's training data and makes examples of it, and of our own generators.

An example: segments [(role, text)], injection 0/1/None, malicious 0/1/None (None: not known, no loss), span (start, end)
of the injection inside the last text or None, family (wrapper or kind) and source. The data's traps are kept: whole
families and sources are held out, tune files are never read here, and the recorded wrapper is a small part.
"""

import gzip
import hashlib
import json
import os
import re
from collections import namedtuple

from actions import ACTIONS, WRITES, call_of, say, values_of
from carriers import carry
from furniture import dressed, plain
from slots import Slots
from wrappers import wrap

Example = namedtuple('Example', 'segments injection malicious span family source')

# Never trained on: five wrapper families of the data, and two sources. measure.py tells how they do.
HELD_FAMILIES = frozenset(['stop-resume', 'json-role', 'html-comment', 'secret', 'precondition'])
HELD_SOURCES = frozenset(['augmented+asb', 'asb-instructions', 'typage', 'tigerbeetle', 'cyberseceval'])
# Prompts of users are no results of tools; a few keep the model from firing at every "please".
CHANNELS = frozenset(['tool_result', 'user_prompt'])


def lines(path):
    with gzip.open(path, 'rt', encoding='utf-8') as f:
        for line in f:
            if line.strip():
                yield json.loads(line)


def held_out(family, source):
    return family in HELD_FAMILIES or any(h in str(source).lower() for h in HELD_SOURCES)


def texts(data):
    """Examples of the text files: (example, held)."""
    for name in sorted(os.listdir(data)):
        if not (name.startswith('train-') and name.endswith('.texts.jsonl.gz')):
            continue
        for row in lines(os.path.join(data, name)):
            if row['channel'] not in CHANNELS:
                continue
            family = str(row['category']).split('|')[0].split('/')[0]
            source = f'{name[6:-15]}:{row["source"]}'
            if row['channel'] == 'user_prompt' and row['label'] == 1:
                continue  # a jailbreak typed by the user is another question
            yield Example([('result', row['text'])], row['label'], None, None, family, source), held_out(family, source)


def normal(text):
    return hashlib.sha256(re.sub(r'\s+', ' ', text.lower()).encode()).hexdigest()[:16]


def traces(data):
    """Examples of the recorded sessions: results with the user's word before them, and calls."""
    for name in sorted(os.listdir(data)):
        if not (name.startswith('train-') and name.endswith('.traces.jsonl.gz')):
            continue
        base = name[:-16]
        labels = {row['id']: row for row in lines(os.path.join(data, base + '.labels.jsonl.gz'))}
        seen = set()
        for trace in lines(os.path.join(data, name)):
            label = labels[trace['id']]
            injected, malicious = set(label.get('injectedCallIds') or []), set(label.get('maliciousCallIds') or [])
            family, held = label['category'], held_out(label['category'], '')
            user, exposed = '', False
            for event in trace['events']:
                if event['kind'] == 'instruction':
                    user = (user + '\n' + event['text']).strip()
                elif event['kind'] == 'result' and label.get('resultLabels') != 'unknown':
                    bad = event['callId'] in injected
                    exposed = exposed or bad
                    if not bad and exposed:
                        continue  # what comes after may quote the injection
                    key = (normal(event['text']), bad)
                    if key in seen:
                        continue
                    seen.add(key)
                    needle = label.get('injectionText') or ''
                    at = event['text'].find(needle) if bad and needle else -1
                    span = (at, at + len(needle)) if at >= 0 else None
                    yield (
                        Example(
                            [('instruction', user), ('result', event['text'])],
                            int(bad),
                            None,
                            span,
                            family if bad else 'recorded',
                            base,
                        ),
                        held,
                    )
                elif event['kind'] == 'call' and label.get('callLabels') != 'unknown':
                    bad = event['callId'] in malicious
                    if not bad and label['verdict'] != 'benign':
                        continue
                    text = call_text(event['tool'], event.get('args') or {})
                    key = (user, text, bad)
                    if key in seen:
                        continue
                    seen.add(key)
                    yield (
                        Example(
                            [('instruction', user), ('call', text)],
                            None,
                            int(bad),
                            None,
                            family if bad else 'recorded-call',
                            base,
                        ),
                        held,
                    )


def call_text(tool, arguments):
    """How a call is shown to the model; the detector shows it in the same way (src/detector)."""
    return tool + ' ' + json.dumps(arguments, ensure_ascii=False, separators=(',', ':'), sort_keys=True)


def task(slots):
    """A user's task: [(action, values)] and the words."""
    steps = [(a, values_of(slots, a)) for a in (slots.pick(ACTIONS[:-1]) for _ in range(slots.pick([1, 1, 1, 2])))]
    words = ' and then '.join(say(slots, a, v) for a, v in steps)
    lead = slots.pick(
        ['', '', 'Please ', 'Could you please ', 'I need you to ', 'Can you ', f'{slots.first()} wrote to me. ']
    )
    body = words[:1].lower() + words[1:] if lead and not lead.endswith('. ') else words
    return steps, lead + body + slots.pick(['', '.', '.', '?'])


def made_result(slots):
    """One result of the generators: half with an injection, mostly bare."""
    steps, words = task(slots)
    goal = None
    family = 'own-clean'
    if slots.chance(0.5):
        act = slots.pick(WRITES if slots.chance(0.85) else ACTIONS)
        family, goal = wrap(slots, say(slots, act, values_of(slots, act)))
    if goal is None and slots.chance(0.45):
        text, span = plain(slots), None
    else:
        text, span = carry(slots, goal, slots.pick([0.1, 0.4, 0.8]))
        if slots.chance(0.3):
            text, span = dressed(slots, text, span)
    if goal is None and slots.chance(0.3):  # what was asked for comes back in the answer
        act, values = slots.pick(steps)
        tool, arguments = call_of(slots, act, values)
        text = (
            slots.pick(['{a}', '{t}: {a}\n{x}', '{x}\n{t} {a} ok', 'Result of {t}({a}): {x}'])
            .replace('{x}', text)
            .replace('{t}', tool)
            .replace('{a}', str(arguments))
        )
    segments = [('instruction', words), ('result', text)] if slots.chance(0.5) else [('result', text)]
    return Example(segments, int(goal is not None), None, span, family, 'own')


def made_call(slots):
    """One call: what the user asked for, a harmless reading, or something that nobody asked for."""
    steps, words = task(slots)
    kind = slots.pick(['asked', 'asked', 'read', 'foreign', 'foreign', 'twisted'])
    if kind == 'asked':
        act, values = slots.pick(steps)
        tool, arguments = call_of(slots, act, values)
        return Example(
            [('instruction', words), ('call', call_text(tool, arguments))], None, 0, None, 'own-asked', 'own'
        )
    if kind == 'read':
        act = slots.pick([a for a in ACTIONS if a.reads])
        tool, arguments = call_of(slots, act, values_of(slots, act))
        return Example([('instruction', words), ('call', call_text(tool, arguments))], None, 0, None, 'own-read', 'own')
    if kind == 'twisted' and not steps[0][0].reads:  # the right verb with another's recipient
        act = steps[0][0]
        tool, arguments = call_of(slots, act, values_of(slots, act))
        return Example(
            [('instruction', words), ('call', call_text(tool, arguments))], None, 1, None, 'own-twisted', 'own'
        )
    act = slots.pick([a for a in WRITES if a not in [x for x, _ in steps]])
    tool, arguments = call_of(slots, act, values_of(slots, act))
    return Example([('instruction', words), ('call', call_text(tool, arguments))], None, 1, None, 'own-foreign', 'own')


def generated(seed, results, calls):
    slots = Slots(seed)
    return [made_result(slots) for _ in range(results)] + [made_call(slots) for _ in range(calls)]


def load(data):
    """(train, held): all examples of the data. A held example's like is in no training example of the data."""
    train, held = [], []
    for example, out in list(texts(data)) + list(traces(data)):
        (held if out else train).append(example)
    return train, held
