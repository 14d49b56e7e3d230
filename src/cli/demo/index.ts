import { PROGRAM_ROOT } from '../program-root.ts';
import { setStage } from './stage.ts';
import { DemoError, tellStory } from './story.ts';

export interface DemoOptions {
  readonly out: { write(text: string): unknown };
  readonly signal: AbortSignal;
}

/**
 * The whole line on throwaway state, printed as it really happens: no account, no network, no Docker. Resolves
 * with the exit code: 0 when everything that it says was so.
 */
export async function runDemo({ out, signal }: DemoOptions): Promise<number> {
  const tell = (line: string): void => void out.write(`${line}\n`);
  const begun = performance.now();
  tell('Sallyport demo: a real gate on throwaway state, with a built-in upstream and a built-in SIEM.\n');
  const stage = await setStage(PROGRAM_ROOT, signal);
  try {
    await tellStory(stage, tell);
    tell(
      `\nAll eight steps happened as printed, in ${((performance.now() - begun) / 1000).toFixed(1)} seconds. Next: docs/start.md`,
    );
    return 0;
  } catch (fault) {
    if (!(fault instanceof DemoError)) throw fault;
    tell(`\nThe demo failed: ${fault.message}.`);
    return 1;
  } finally {
    await stage.close();
  }
}
