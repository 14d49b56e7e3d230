import { defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import { MODEL_OPTIONS } from './guard-options.ts';

export const guardServe = defineCommand({
  name: 'guard serve',
  summary: 'Serve one guard model to several gates of this machine (their guard.remote); Ctrl-C stops it.',
  options: {
    ...MODEL_OPTIONS,
    model: { type: 'string', value: 'FILE', help: 'Model file; default: the guard of the settings.' },
    listen: { type: 'string', value: 'ADDRESS', help: 'unix:PATH (mode 0600), or 127.0.0.1:PORT.' },
  },
  examples: ['sallyport guard serve --listen unix:/run/guard.sock --model models/canary-guard.gguf'],
  async run({ values, output, state, signal }) {
    if (values.listen === undefined) throw usageFault('--listen says where: unix:PATH, or 127.0.0.1:PORT.');
    const [{ serveGuard, showGuardAddress, showGuardStatus }, { addressOf, sourceOf }] = await Promise.all([
      import('../../guard/index.ts'),
      import('./guard-source.ts'),
    ]);
    const address = addressOf(values.listen, process.cwd());
    const source = sourceOf(values, values.model, state);
    if (source.kind !== 'file')
      throw usageFault('guard serve takes a model of its own.', 'Name it with --model.');
    const server = await serveGuard({
      address,
      child: { ...source, memoryBytes: null },
      onStatus: (status) => output.note(`guard ${showGuardStatus(status)}`),
    }).catch((cause: unknown) => {
      if (!(cause instanceof Error && 'code' in cause)) throw cause;
      throw stateFault(
        `It can not listen at ${showGuardAddress(address)} (${String(cause.code)}).`,
        undefined,
        cause,
      );
    });
    const shown = address.kind === 'loopback' ? { ...address, port: server.port ?? address.port } : address;
    output.result(
      { address: showGuardAddress(shown) },
      `Serving at ${showGuardAddress(shown)}; Ctrl-C stops.`,
    );
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.close();
    return undefined;
  },
});
