"""Says how a checkpoint does on what training held out, by wrapper family and source, and on any trace files.

    python measure.py --data DIR --run DIR [--traces NAME …]

Thresholds stand where 1 % (and 0.5 %) of the clean results of benign sessions lie above. These figures are of the model
alone, for choosing between trainings; the product's own figures are made by `sallyport detector score`.
"""

import argparse
import collections
import json
import os

import corpus
from scoring import load, logits
from vocabulary import Vocabulary


def at(clean, rate):
    ordered = sorted(clean)
    k = int(rate * len(ordered))
    return ordered[len(ordered) - 1 - k] if k < len(ordered) else float('-inf')


def trace_requests(data, name, benign_only):
    """((family, bad, text hash), segments) of each distinct result of a trace file."""
    labels = {row['id']: row for row in corpus.lines(os.path.join(data, name + '.labels.jsonl.gz'))}
    for trace in corpus.lines(os.path.join(data, name + '.traces.jsonl.gz')):
        label = labels[trace['id']]
        if benign_only and label['verdict'] != 'benign':
            continue
        injected = set(label.get('injectedCallIds') or [])
        user, exposed = '', False
        for event in trace['events']:
            if event['kind'] == 'instruction':
                user = (user + '\n' + event['text']).strip()
            elif event['kind'] == 'result':
                bad = event['callId'] in injected
                exposed = exposed or bad
                if bad or not exposed:
                    yield (
                        (label['category'] if bad else 'clean', bad, corpus.normal(event['text'])),
                        [('instruction', user), ('result', event['text'])],
                    )


def score_traces(model, vocabulary, data, name, benign_only=False):
    rows = list(trace_requests(data, name, benign_only))
    distinct = {(key[2], segments[0][1]): segments for key, segments in rows}
    keys = list(distinct)
    scored = dict(zip(keys, logits(model, vocabulary, [distinct[k] for k in keys])[:, 0].tolist()))
    return [(key[0], key[1], scored[(key[2], segments[0][1])], key[2]) for key, segments in rows]


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('--data', required=True)
    a.add_argument('--run', required=True)
    a.add_argument(
        '--traces',
        nargs='*',
        default=['tune-agentdyn-shopping', 'tune-agentdyn-shopping-bare', 'tune-agentdyn-shopping-direct'],
    )
    o = a.parse_args()
    model, step = load(os.path.join(o.run, 'checkpoint.pt'))
    vocabulary = Vocabulary.load(os.path.join(o.run, 'tokenizer.json'))
    print(f'step {step}')
    _, held = corpus.load(o.data)
    by = collections.defaultdict(list)
    scores = logits(model, vocabulary, [e.segments for e in held])
    for e, row in zip(held, scores.tolist()):
        if e.injection is not None:
            by[(e.injection, e.family, e.source)].append(row[0])
    files = {name: score_traces(model, vocabulary, o.data, name) for name in o.traces}
    clean = [s for name in o.traces[:1] for _, bad, s, _ in files[name] if not bad]
    strict, loose = at(clean, 0.005), at(clean, 0.01)
    print(json.dumps({'clean': len(clean), 'threshold 0.5 %': strict, 'threshold 1 %': loose}))
    for name, rows in files.items():
        families = collections.defaultdict(list)
        for family, bad, s, h in rows:
            families[(family, bad)].append((s, h))
        for (family, bad), values in sorted(families.items()):
            distinct = {h: s for s, h in values}
            print(
                f'{name:34} {family:24} {"bad " if bad else "clean"} n={len(values):6} above: {share(values, loose):.3f} (1 %) {share(values, strict):.3f} (0.5 %)  distinct n={len(distinct)} {sum(s > loose for s in distinct.values()) / len(distinct):.3f}'
            )
    for (label, family, source), values in sorted(by.items()):
        print(
            f'held {source:40} {family:18} label {label} n={len(values):5} above: {sum(v > loose for v in values) / len(values):.3f} (1 %) {sum(v > strict for v in values) / len(values):.3f} (0.5 %)'
        )


def share(values, threshold):
    return sum(s > threshold for s, _ in values) / len(values)


if __name__ == '__main__':
    main()
