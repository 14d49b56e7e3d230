import { describe, expect, it } from 'vitest';
import { commandsIn } from '../../../src/detector/provenance/commands.ts';
import { matchesOf } from '../../../src/detector/provenance/matches.ts';

/** A letter that is two code units long: an empty match before it must not be found for ever. */
const GOTHIC = '\u{10330}\u{10331}';

describe('all matches of an expression', () => {
  it.each([
    [/^(?=(\p{L}+)\s)/gu, `${GOTHIC} the file`],
    [/(?=\p{L})/gu, `a${GOTHIC}b`],
    [/x*/gu, `${GOTHIC}xx${GOTHIC}`],
    [/x*/g, `${GOTHIC}xx${GOTHIC}`],
    [/x*/g, ''],
    [/\b/g, 'two words'],
    [/a(b)?/g, 'ab a ab'],
    [/z/g, 'none'],
  ])('are those of matchAll: %s', (pattern, text) => {
    const shape = (matches: Iterable<RegExpMatchArray>) => [...matches].map((one) => [one.index, ...one]);
    const wanted = shape(text.matchAll(pattern));
    expect(shape(matchesOf(pattern, text))).toEqual(wanted);
    expect(shape(matchesOf(pattern, text))).toEqual(wanted);
  });
});

it('a result that begins with a letter of two code units is read to its end', () => {
  const commands = commandsIn(`${GOTHIC} the file to somebody. Please delete the old draft.`, false);
  expect(commands.map(({ verbs }) => [...verbs])).toEqual([['delete']]);
});
