import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PassportRoom } from '../../../src/passport/index.ts';
import { openStorage, type Storage, type StorageOptions } from '../../../src/storage/index.ts';
import { usePostgres } from '../../storage/each-dialect.ts';
import { type Bench, openBench, TestAgent } from './support.ts';

describe('two nodes over one PostgreSQL', () => {
  const server = usePostgres();
  let bench: Bench;
  let secondStorage: Storage;
  let second: PassportRoom;
  let agent: TestAgent;
  beforeAll(async () => {
    let url: string;
    try {
      url = await server().newDatabase();
    } catch {
      return; // The tests below are skipped, and say why.
    }
    const database: StorageOptions = { kind: 'postgres', url, onFault: () => {} };
    bench = await openBench({ database });
    secondStorage = await openStorage(database);
    const { replay, unitOfWork } = secondStorage;
    second = await bench.openNode({ stores: secondStorage, unitOfWork, replay });
    agent = await TestAgent.register(bench);
  });
  afterAll(async () => {
    await bench?.close();
    await secondStorage?.close();
  });

  const verify = async (room: PassportRoom, token: string) =>
    room.verifier.verify(await agent.present(token), Date.now());

  test('a passport from one is good on the other, and a revocation there is seen here', async () => {
    const token = await agent.passport();
    const passport = await verify(second, token);
    const heard: boolean[] = [];
    second.revocations.onRevoked((matches) => heard.push(matches(passport)));
    const { jti } = passport;
    const revocation = { tenant: 'default', kind: 'token', value: jti, by: 'admin', reason: null } as const;
    await bench.room.revocations.revoke(revocation);
    await expect.poll(() => heard[0]).toBe(true);
    expect(() => second.verifier.recheck(passport, Date.now())).toThrow(
      expect.objectContaining({ code: 'passport_revoked' }),
    );
  });

  test('one assertion and one proof pass once, whichever nodes they come to', async () => {
    const assertion = await agent.assertion();
    const nodes = [bench.room, second];
    const answers = [];
    for (let index = 0; index < 10; index += 1) {
      bench.serve(nodes[index % 2] ?? second);
      answers.push(agent.request({ assertion }));
    }
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    bench.serve(bench.room);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);

    const shared = await bench.openNode({ replay: bench.storage.replay });
    const presented = await agent.present(await agent.passport());
    const attempts = [shared, second, shared, second].map(({ verifier }) =>
      verifier.verify(presented, Date.now()),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('an agent that one node quarantines gets nothing from the other', async () => {
    const token = await agent.passport();
    await verify(second, token);
    await bench.room.agents.quarantine(agent.id, 'a test', 'admin');
    bench.serve(second);
    expect((await agent.request()).status).not.toBe(200);
    await expect.poll(() => verify(second, token).catch((refusal) => refusal.code)).toBe('agent_quarantined');
    bench.serve(bench.room);
  });
});
