import { defineCommand } from '../command.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'The whole line at work on throwaway state, in a minute; needs no account and no network.',
  examples: ['sallyport demo'],
  async run({ output, signal }) {
    const { runDemo } = await import('../demo/index.ts');
    return runDemo({ out: output.out, signal });
  },
});
