import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Automaton } from '../../../src/detector/rules/automaton.ts';
import { Expression } from '../../../src/detector/rules/expression.ts';
import { Text } from '../../../src/detector/rules/text.ts';

/** Expressions as rules have them, over few letters so that they match. */
const { expression } = fc.letrec<{ expression: string; item: string; atom: string }>((tie) => ({
  expression: fc
    .array(fc.array(tie('item'), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((options) => options.map((items) => items.join('')).join('|')),
  item: fc
    .tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,3}', '{1,}', '*?'))
    .map(([atom, count]) => atom + count),
  atom: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom('a', 'b', 'ab', 'ba', 'aab', '[ab]', '[^a]', '.', '\\w', '\\s', 'c', '\\x61', '\\u0062'),
    fc.constantFrom('(?:^|b)', '(?:$|a)', '(?:\\ba)', '(?:b\\b)', '(?:a\\B)'),
    tie('expression').map((inner) => `(${inner})`),
  ),
}));
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'c', ' ', '\n'), maxLength: 24 });

function sees(source: string, value: string): boolean {
  return new Expression(source, 'javascript').test(new Text(value));
}

describe('an expression', () => {
  it('matches what JavaScript matches, and its literals stand in whatever it matches', () => {
    fc.assert(
      fc.property(expression, text, (source, value) => {
        const compiled = new Expression(source, 'javascript');
        const matched = compiled.test(new Text(value));
        expect(matched).toBe(new RegExp(source, 'i').test(value));
        if (!matched) return;
        for (const clause of compiled.clauses)
          expect(clause.some((literal) => value.toLowerCase().includes(literal))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('looks ahead, or behind, as JavaScript does', () => {
    const looks = fc.tuple(expression, fc.constantFrom('?=', '?!'), expression, expression, fc.boolean());
    fc.assert(
      fc.property(looks, text, ([before, look, inside, after, ahead], value) => {
        const sign = ahead ? look : look.replace('?', '?<');
        const source = `(?:${before})(${sign}${inside})(?:${after})`;
        // Expressions in expressions grow past what is run; that is another test's matter.
        fc.pre(source.length < 120);
        expect(sees(source, value)).toBe(new RegExp(source, 'i').test(value));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a trailing look that leaves a middle one', 'a(?!b)c(?=d)', 'acd', true],
    ['a host that is not ours', 'https?://(?!docs\\.)\\w+', 'see https://docs.x', false],
    ['a look inside a repetition', '<(?:(?!>)[\\s\\S]){0,9}x', '<a>x', false],
    ['all of two looks', '(?=[\\s\\S]*b)(?=[\\s\\S]*c)a', 'abc', true],
    ['characters outside the basic plane', '[\\u{1F1E6}-\\u{1F1FF}]{2}', '\u{1F1E9}\u{1F1EA}', true],
    [
      'surrogates that are written apart',
      '(?:\\uDB40[\\uDC00-\\uDC7F]){3}',
      '\u{E0041}\u{E0042}\u{E0043}',
      true,
    ],
    ['a count of more than a thousand', '^a{1500,2001}$', 'a'.repeat(1500), true],
    ['a count that is not reached', '^a{1500,2001}$', 'a'.repeat(1499), false],
    ['a count that is passed', '^a{1500,2001}$', 'a'.repeat(2002), false],
    ['flags of a group', '(?s:a.b)(?-i:C)', 'A\nbC', true],
    ['flags that are out of force', '(?s:a.b)(?-i:C)', 'a\nbc', false],
    ['white space of all kinds', 'a\\sb', 'a\u00a0b', true],
  ])('knows %s', (_, source, value, matched) => expect(sees(source, value)).toBe(matched));

  it('reads Python and RE2 as they are meant', () => {
    const python = (source: string, value: string) => new Expression(source, 'python').test(new Text(value));
    expect(python('^\\w+$', 'größe\n')).toBe(true);
    expect(python('(?P<name>a)b', 'ab')).toBe(true);
    expect(new Expression('^\\w+$').test(new Text('größe'))).toBe(false);
    expect(new Expression('[[:alpha:]]\\pL{2}').test(new Text('aßé'))).toBe(true);
  });

  it.each<[string, RegExp]>([
    ['(a)\\1', /back-reference/],
    ['(?P<x>a)(?P=x)', /backtracking/],
    ['(?>a+)b', /backtracking/],
    ['a++', /possessive/],
    ['a**', /quantifier/],
    ['x(?<=a)b(?!c)d', /ahead and behind/],
    ['((a{0,900}){0,900}){0,900}', /counts inside counts/],
    [`(?:${'abcdefgh'.repeat(9)}){300,900}`, /too large/],
    [`${'('.repeat(200)}a${')'.repeat(200)}`, /deep/],
    ['a'.repeat(20_000), /longer than/],
    ['(a', /not closed/],
    ['a)', /closes nothing/],
    ['[a', /not closed/],
    ['a{3,1}', /backwards/],
    ['[z-a]', /backwards/],
    ['\\', /ends in the middle/],
    ['\\u12', /code/],
  ])('is refused: %s', (source, fault) => {
    expect(() => new Expression(source, 'python')).toThrow(fault);
  });

  it('never throws anything but a sentence, whatever is written', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 30 }),
        fc.constantFrom('re2', 'javascript', 'python'),
        (source, dialect) => {
          let compiled: Expression;
          try {
            compiled = new Expression(source, dialect);
          } catch (cause) {
            expect((cause as Error).constructor.name).toBe('RegexError');
            return;
          }
          compiled.prepare();
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('the automaton', () => {
  it('finds every literal of many, in any case, and where it ends', () => {
    const literals = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(literals, text, (all, value) => {
        const scan = new Automaton(all).scan(value);
        const lower = value.toLowerCase();
        for (const [id, literal] of all.entries()) {
          expect(scan.has(id)).toBe(lower.includes(literal));
          for (const end of scan.placesOf(id) ?? []) expect(lower.slice(0, end).endsWith(literal)).toBe(true);
        }
      }),
    );
  });
});
