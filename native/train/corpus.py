"""Reads the detector's training data and makes examples of it.

An example: segments [(role, text)], injection 0/1/None, malicious 0/1/None (None: not known, no loss), span (start, end)
of the injection inside the last text or None, family (wrapper or kind) and source. The data's traps are kept: whole
families and sources are held out, tune files are never read here, and the recorded wrapper is a small part (train.py).
"""

import gzip
import hashlib
import json
import os
import re
from collections import namedtuple

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
            if row['channel'] not in CHANNELS or '-SA' in row['licence']:
                continue  # share-alike texts are left out, so that the model's licence is ours
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


def load(data):
    """(train, held): all examples of the data. A held example's like is in no training example of the data."""
    train, held = [], []
    for example, out in list(texts(data)) + list(traces(data)):
        (held if out else train).append(example)
    return train, held
