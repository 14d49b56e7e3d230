import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/index.ts';
import { RuleEvent, RuleState } from '../../../src/detector/rules/index.ts';
import { loadRules, readRules } from '../../../src/detector/rules/load.ts';
import type { RuleSet } from '../../../src/detector/rules/rule-set.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-rules-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function ruleOf(o: { match: unknown; on?: string; hit?: unknown; miss?: unknown; id?: string }): string {
  return JSON.stringify({
    id: o.id ?? 'one',
    title: 'One',
    severity: 'high',
    score: 0.5,
    on: o.on ?? 'call',
    match: o.match,
    cases: { match: [o.hit ?? { args: 'bad' }], pass: [o.miss ?? { args: 'good' }] },
  });
}

async function setOf(...rules: readonly string[]): Promise<RuleSet> {
  await writeFile(join(folder, 'a.yaml'), `rules: [${rules.join(',')}]`);
  return loadRules(folder);
}

async function faultsOf(text: string): Promise<readonly string[]> {
  await writeFile(join(folder, 'a.yaml'), text);
  return (await readRules(folder)).faults.map(({ what }) => what);
}

/** A session that events come in one after the other; the ids of the rules that match each. */
class Session {
  readonly state = new RuleState();
  readonly #set: RuleSet;
  now = Date.parse('2026-11-23T12:00:00Z');
  number = 0;

  constructor(set: RuleSet) {
    this.#set = set;
  }

  event(on: 'call' | 'result', fields: Record<string, string>, args?: JsonValue, who = 'agent_1') {
    this.number += 1;
    return this.#set.match({
      event: new RuleEvent(on, new Map(Object.entries(fields)), args),
      state: this.state,
      agentId: who,
      service: fields.tool ?? 'api',
      callId: `c${this.number}`,
      now: this.now,
    });
  }

  call(args: string, who?: string): readonly string[] {
    return this.event('call', { tool: 'Bash', args }, undefined, who).map(({ check }) => check);
  }
}

const SEQUENCE = {
  sequence: {
    within: '10m',
    calls: 3,
    steps: [{ match: { field: 'args', contains: 'id_rsa' } }, { match: { field: 'args', contains: 'curl' } }],
  },
};
const HIT = { events: [{ args: 'cat id_rsa' }, { args: 'curl x' }] };

describe('a sequence', () => {
  it('matches its steps in their order, and tells what came before', async () => {
    const session = new Session(await setOf(ruleOf({ match: SEQUENCE, hit: HIT })));
    expect(session.call('curl x')).toEqual([]);
    expect(session.call('cat ~/.ssh/id_rsa')).toEqual([]);
    expect(session.call('ls')).toEqual([]);
    const [finding] = session.event('call', { tool: 'Bash', args: 'curl https://x.example' });
    expect(finding).toMatchObject({
      check: 'rule.one',
      evidence: 'After Bash (c2): args: curl https://x.example',
    });
  });

  it('is over when it took too long, or too many calls', async () => {
    const set = await setOf(ruleOf({ match: SEQUENCE, hit: HIT }));
    const slow = new Session(set);
    slow.call('cat id_rsa');
    slow.now += 10 * 60_000 + 1;
    expect(slow.call('curl x')).toEqual([]);
    const busy = new Session(set);
    busy.call('cat id_rsa');
    for (let i = 0; i < 3; i += 1) busy.call('ls');
    expect(busy.call('curl x')).toEqual([]);
    // A later beginning counts, however old the first one is.
    busy.call('cat id_rsa');
    expect(busy.call('curl x')).toEqual(['rule.one']);
  });

  it('is of one session alone, and one event takes one step', async () => {
    const set = await setOf(ruleOf({ match: SEQUENCE, hit: HIT }));
    new Session(set).call('cat id_rsa');
    expect(new Session(set).call('curl x')).toEqual([]);
    expect(new Session(set).call('curl -d @id_rsa x')).toEqual([]);
  });

  it('may begin with what the agent read', async () => {
    const match = {
      sequence: {
        within: '1h',
        steps: [
          { on: 'result', match: { field: 'text', contains: 'please pay' } },
          { match: { field: 'tool', equals: 'pay' } },
        ],
      },
    };
    const hit = { events: [{ on: 'result', text: 'Please pay' }, { tool: 'pay' }] };
    const session = new Session(await setOf(ruleOf({ match, hit })));
    expect(session.event('call', { tool: 'pay', args: '' })).toEqual([]);
    session.event('result', { tool: 'mail', text: 'please pay 9' });
    expect(session.event('call', { tool: 'pay', args: '' })).toHaveLength(1);
  });

  it('that ends on another kind of event than its rule looks at is a fault', async () => {
    expect(await faultsOf(`rules: [${ruleOf({ match: SEQUENCE, hit: HIT, on: 'result' })}]`)).toEqual([
      'the last step of a sequence is no result',
    ]);
  });
});

describe('a count', () => {
  const count = { atLeast: 3, within: '1m', match: { field: 'args', contains: 'bad' } };

  it('matches from the number of events on, within its time', async () => {
    const hit = { events: [{ args: 'bad', times: 3 }] };
    const session = new Session(await setOf(ruleOf({ match: { count }, hit })));
    expect([session.call('bad'), session.call('good'), session.call('bad')]).toEqual([[], [], []]);
    session.now += 61_000;
    expect([session.call('bad'), session.call('bad'), session.call('bad')]).toEqual([[], [], ['rule.one']]);
  });

  it('counts different values where it is told to', async () => {
    const match = { count: { ...count, distinct: 'args.to' } };
    const hit = { events: [1, 2, 3].map((n) => ({ args: { to: `bad${n}` } })) };
    const session = new Session(await setOf(ruleOf({ match, hit })));
    const send = (to: string) => session.event('call', { tool: 'send', args: `bad ${to}` }, { to }).length;
    expect(['a', 'a', 'b', 'a', 'c'].map(send)).toEqual([0, 0, 0, 0, 1]);
  });

  it('keeps a bounded state, however many events and rules there are', async () => {
    const hit = { events: [{ args: 'bad', times: 3 }] };
    const rules = Array.from({ length: 200 }, (_, i) => ruleOf({ id: `r${i}`, match: { count }, hit }));
    const session = new Session(await setOf(...rules));
    for (let i = 0; i < 50; i += 1) session.call('bad');
    expect(session.state.size).toBeLessThanOrEqual(64);
  });
});

describe('a field', () => {
  it('may be a path into arguments or a body', async () => {
    const match = {
      any: [
        { field: 'args.files[].path', regex: '^/etc/' },
        { field: 'body.user.name', equals: 'root' },
        { field: 'args.argv', contains: 'rm -rf' },
      ],
    };
    const hit = { args: { files: [{ path: '/tmp/x' }, { path: '/etc/passwd' }] } };
    const session = new Session(await setOf(ruleOf({ match, hit, miss: { args: { path: '/etc/passwd' } } })));
    const tool = (args: JsonValue) => session.event('call', { tool: 'x', args: '' }, args).length;
    expect(tool({ files: [{ path: '/etc/x' }] })).toBe(1);
    expect(tool({ files: [{ path: 'a /etc/x' }] })).toBe(0);
    expect(tool({ files: { path: '/etc/x' } })).toBe(0);
    expect(tool({ argv: ['rm', '-rf', '/'] })).toBe(1);
    expect(session.event('call', { host: 'x', body: '{"user":{"name":"root"}}' })).toHaveLength(1);
    expect(session.event('call', { host: 'x', body: '{"user":"root"}' })).toHaveLength(0);
    expect(session.event('call', { host: 'x', body: '[['.repeat(100_000) })).toHaveLength(0);
    expect(tool({ __proto__: null, constructor: 'x' })).toBe(0);
  });

  it('is looked at behind look-alike letters and hidden characters, and behind codings when asked', async () => {
    const plain = ruleOf({ id: 'plain', match: { field: 'args', contains: 'bad' } });
    const coded = ruleOf({
      id: 'coded',
      match: { field: 'args', regex: 'very bad', encodings: true },
      hit: { args: 'very bad' },
    });
    const session = new Session(await setOf(plain, coded));
    expect(session.call('b\u0430d')).toEqual(['rule.plain']);
    expect(session.call('b\u200bad')).toEqual(['rule.plain']);
    expect(session.call(Buffer.from('this is very bad').toString('base64'))).toEqual(['rule.coded']);
    expect(session.call(Buffer.from('this is very bad').toString('hex'))).toEqual(['rule.coded']);
    expect(session.call('this%20is%20very%20bad')).toEqual(['rule.plain', 'rule.coded']);
  });
});

describe('a suppression', () => {
  const rule = ruleOf({ match: { field: 'args', contains: 'bad' } });
  const file = (suppression: object) =>
    `{ rules: [${rule}], suppressions: [${JSON.stringify({ rules: ['one'], reason: 'known', ...suppression })}] }`;

  it('silences a rule for an agent, for a service, until a day', async () => {
    const load = async (suppression: object) => {
      await writeFile(join(folder, 'a.yaml'), file(suppression));
      return new Session(await loadRules(folder));
    };
    expect((await load({})).call('bad')).toEqual([]);
    const one = await load({ agents: ['agent_2'] });
    expect([one.call('bad'), one.call('bad', 'agent_2')]).toEqual([['rule.one'], []]);
    expect((await load({ services: ['Read'] })).call('bad')).toEqual(['rule.one']);
    expect((await load({ services: ['Bash'] })).call('bad')).toEqual([]);
    const ending = await load({ expires: '2026-11-24' });
    expect(ending.call('bad')).toEqual([]);
    ending.now = Date.parse('2026-11-24T00:00:00Z');
    expect(ending.call('bad')).toEqual(['rule.one']);
  });

  it('needs a reason, and a rule that there is', async () => {
    expect(await faultsOf(file({ reason: undefined }))).toEqual([expect.stringContaining('reason')]);
    expect(await faultsOf(file({ rules: ['two'] }))).toEqual(['there is no such rule to suppress']);
    expect(await faultsOf(file({ expires: 'soon' }))).toEqual([expect.stringContaining('expires')]);
  });
});

describe('a fault in a condition', () => {
  it.each([
    ['a kind that there is not', { none: [] }, /match: is none of field, all, any, not, sequence, count/],
    ['two tests in one', { field: 'args', contains: 'a', equals: 'b' }, /exactly one of/],
    ['a path that is none', { field: 'args..x', contains: 'a' }, /is not a field/],
    ['a sequence under not', { not: SEQUENCE }, /not: is none of field, all, any, not$/],
    [
      'an allow-list beside a word',
      { field: 'args', contains: 'a', except: { values: ['a'] } },
      /beside a regex/,
    ],
    [
      'a host that is a URL',
      { field: 'args', regex: 'a', except: { hosts: ['https://x'] } },
      /not a host name/,
    ],
    [
      'a duration that is none',
      { count: { atLeast: 2, within: '5 min', match: { field: 'args', contains: 'a' } } },
      /not a duration/,
    ],
    [
      'too much to count',
      { count: { atLeast: 9999, within: '5m', match: { field: 'args', contains: 'a' } } },
      /atLeast/,
    ],
  ])('names %s', async (_, match, fault) => {
    expect((await faultsOf(`rules: [${ruleOf({ match })}]`)).join('\n')).toMatch(fault);
  });
});
