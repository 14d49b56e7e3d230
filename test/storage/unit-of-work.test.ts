import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';
import { agent, revocation, service } from './records.ts';

describeEachDialect('unit of work', (database) => {
  test('what it wrote is there when it resolves', async () => {
    const storage = await database.open();
    const answer = await storage.unitOfWork.run(async (stores) => {
      await stores.agents.insert(agent());
      await stores.services.put(service());
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await storage.agents.get('default', 'agent_1')).not.toBeNull();
    expect(await storage.services.get('default', 'github')).not.toBeNull();
  });

  test('when it throws, nothing was written and nobody is told', async () => {
    const storage = await database.open();
    const heard: string[] = [];
    await storage.revocations.follow(
      ({ id }) => heard.push(id),
      () => {},
    );
    const run = storage.unitOfWork.run(async (stores) => {
      await stores.agents.insert(agent());
      await stores.revocations.insert(revocation({ id: 'undone' }));
      throw new Error('the second half failed');
    });
    await expect(run).rejects.toThrow('the second half failed');
    expect(await storage.agents.get('default', 'agent_1')).toBeNull();
    expect(await storage.revocations.all(0)).toEqual([]);
    await storage.revocations.insert(revocation({ id: 'done' }));
    await expect.poll(() => heard).toEqual(['done']);
  });

  test('followers hear when it commits, not before', async () => {
    const storage = await database.open();
    const heard: string[] = [];
    await storage.revocations.follow(
      ({ id }) => heard.push(id),
      () => {},
    );
    await storage.unitOfWork.run(async (stores) => {
      await stores.revocations.insert(revocation());
      expect(heard).toEqual([]);
    });
    await expect.poll(() => heard).toEqual(['revocation_1']);
  });

  test('a store that refuses undoes its own half alone, and tells of nothing', async () => {
    const storage = await database.open();
    await storage.services.put(service());
    let heard = 0;
    await storage.services.follow(
      () => {
        heard += 1;
      },
      () => {},
    );
    await storage.unitOfWork.run(async (stores) => {
      expect(await stores.services.put(service({ name: 'thief' }))).toBe(false);
      await stores.agents.insert(agent());
    });
    expect(await storage.services.get('default', 'thief')).toBeNull();
    expect(await storage.agents.get('default', 'agent_1')).not.toBeNull();
    await storage.services.delete('default', 'github');
    await expect.poll(() => heard).toBe(1);
  });

  test('going round it from inside is a mistake that is named, not a wait for ever', async () => {
    const storage = await database.open();
    const outside: (() => Promise<unknown>)[] = [
      () => storage.agents.get('default', 'agent_1'),
      () => storage.revocations.insert(revocation()),
      () => storage.replay.insertIfAbsent({ kind: 'dpop', key: 'k', expiresAt: 9 }, 1),
      () => storage.unitOfWork.run(async () => {}),
    ];
    for (const step of outside) {
      await expect(storage.unitOfWork.run(step)).rejects.toThrow('use the stores that it was given');
    }
    expect(await storage.agents.get('default', 'agent_1')).toBeNull();
  });

  test('work that it started and did not wait for may use the database afterwards', async () => {
    const storage = await database.open();
    let late: Promise<unknown> = Promise.resolve();
    let start = () => {};
    const ended = new Promise<void>((resolve) => {
      start = resolve;
    });
    await storage.unitOfWork.run(async () => {
      late = ended.then(() => storage.agents.insert(agent()));
    });
    start();
    expect(await late).toBe(true);
  });

  test('many at once all come through', async () => {
    const storage = await database.open();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        storage.unitOfWork.run(async (stores) => {
          await stores.agents.insert(agent({ id: `agent_${index}`, name: `n${index}` }));
          await stores.replay.insertIfAbsent({ kind: 'dpop', key: `k${index}`, expiresAt: 9 }, 1);
        }),
      ),
    );
    expect(await storage.agents.list('default', { after: null, limit: 50 })).toHaveLength(20);
  });
});
