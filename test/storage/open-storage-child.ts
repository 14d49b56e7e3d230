import { openStorage } from '../../src/storage/index.ts';
import { agent } from './records.ts';

/** A process of its own on a database file: `file` tries to open it, `file write` inserts until it is killed. */
const [file = '', mode] = process.argv.slice(2);

try {
  const storage = await openStorage({ kind: 'sqlite', file, durability: 'power' });
  for (let index = 0; mode === 'write'; index += 1) {
    await storage.agents.insert(agent({ id: `agent_${index}`, name: `n${index}` }));
    process.send?.(index);
  }
  process.send?.('opened');
  await storage.close();
} catch (cause) {
  process.send?.(String(cause));
}
process.disconnect?.();
