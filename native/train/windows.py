"""Examples to windows of ids, as the contract's "Input" says: [cls] [role] text [sep] [role] text [sep]."""

from vocabulary import ROLE

CLS, SEP = 0, 1


def windows(vocabulary, segments, context):
    """All windows of one request: [(ids, offset of the last text's first token, its character offsets)].

    All segments but the last are kept whole in every window (cut to half of the window here, as the detector does);
    the last is cut into windows that overlap by a quarter of the room.
    """
    encoded = vocabulary.encode([text for _, text in segments])
    head = [CLS]
    for (role, _), (ids, _) in zip(segments[:-1], encoded[:-1]):
        head += [ROLE[role]] + ids[-(context // 2 - len(head) - 12) :] + [SEP]
    head.append(ROLE[segments[-1][0]])
    ids, offsets = encoded[-1]
    room = context - len(head) - 1
    step = room - room // 4
    starts = [0] if len(ids) <= room else list(range(0, len(ids) - room + step, step))
    return [(head + ids[a : a + room] + [SEP], len(head), offsets[a : a + room]) for a in starts]


def labelled(vocabulary, example, context, pick):
    """One window of an example for training: (ids, start of the last segment, injection, malicious, token labels); -1
    where nothing is known. Of a long text with an injection it is mostly a window that has it.

    A long text without a known span is cut at random only when it is clean; with a span the window's own label says
    whether (most of) the injection is in it.
    """
    limit = context if example.injection != 1 or example.span is not None else 2 * context
    found = windows(vocabulary, example.segments, limit)
    if len(found) > 1 and example.injection == 1 and example.span is None:
        return None
    ids, first, offsets = found[pick(len(found))]
    injection = -1 if example.injection is None else example.injection
    tokens = [-1] * len(ids)
    if injection == 0:
        tokens = [-1] * (first - 1) + [0] * (len(ids) - first + 1)
    elif injection == 1 and example.span is not None:
        a, b = example.span
        if len(found) > 1 and pick(5) > 0:
            near = [w for w in found if w[2] and w[2][0][0] <= a and w[2][-1][1] >= b]
            if near:
                ids, first, offsets = near[pick(len(near))]
        inside = [int(e > a and s < b) for s, e in offsets]
        covered = sum(min(e, b) - max(s, a) for (s, e), i in zip(offsets, inside) if i)
        if 0 < covered < 0.6 * (b - a):
            return None  # half an injection is neither
        injection = int(covered > 0)
        tokens = [-1] * (first - 1) + [0] + inside + [0]
    return ids, first - 1, injection, -1 if example.malicious is None else example.malicious, tokens
