import { defineCommand } from '../command.ts';
import { rowOf } from '../output.ts';
import { members } from './members.ts';

export const guardStats = defineCommand({
  name: 'guard stats',
  summary:
    'State and counters of the guard model: of the running service, or of one that serves several gates.',
  options: {
    address: { type: 'string', value: 'ADDRESS', help: 'A guard serve: unix:PATH, or 127.0.0.1:PORT.' },
  },
  examples: ['sallyport guard stats', 'sallyport guard stats --address unix:/run/guard.sock --json'],
  async run({ values, client, output }) {
    if (values.address !== undefined) {
      const [{ statsOnce }, { addressOf, guarded }] = await Promise.all([
        import('../../guard/index.ts'),
        import('./guard-source.ts'),
      ]);
      const address = addressOf(values.address, process.cwd());
      const stats = await guarded(() => statsOnce(address));
      output.item(stats, members(stats));
      return undefined;
    }
    const { guard } = await client.get('/status');
    const { counts, engine, ...state } = rowOf(guard);
    // Both count what came late: the gate's waiting, and the engine's requests.
    const counters = Object.entries(rowOf(engine)).map(([name, value]) => [`engine.${name}`, value]);
    const flat = { ...state, ...rowOf(counts), ...Object.fromEntries(counters) };
    output.item(flat, members(flat));
    return undefined;
  },
});
