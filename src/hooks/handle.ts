import {
  blocked,
  type HookAnswer,
  type HookHost,
  HookInputError,
  type HookMessage,
  type HookVerdict,
} from './message.ts';

/** The hosts whose hooks are spoken; each is loaded when it is asked for, since most runs of a hook read nothing. */
export const HOSTS = {
  'claude-code': async () => (await import('./hosts/claude-code.ts')).claudeCode,
  codex: async () => (await import('./hosts/codex.ts')).codex,
  'gemini-cli': async () => (await import('./hosts/gemini-cli.ts')).geminiCli,
} as const satisfies Record<string, () => Promise<HookHost>>;

export type HostName = keyof typeof HOSTS;

export function isHostName(name: string): name is HostName {
  return Object.hasOwn(HOSTS, name);
}

/** What is asked about a message; it answers in time, or not at all. */
export type Judge = (message: HookMessage) => Promise<HookVerdict>;

/**
 * One run of a hook: what the host wrote to it, to what it answers. Input that is not understood is a no; a verdict that
 * is not there in time is what was configured, said before the host's own limit, which would let the call pass.
 */
export async function handleHook(o: {
  readonly host: HostName;
  readonly stdin: string;
  readonly judge: Judge;
  readonly deadlineMs: number;
  readonly onLate: HookVerdict['restrain'];
}): Promise<HookAnswer> {
  const host = await HOSTS[o.host]();
  let message: HookMessage;
  try {
    message = host.read(o.stdin);
  } catch (cause) {
    if (cause instanceof HookInputError) return blocked(cause.message);
    throw cause;
  }
  return host.answer(message, await inTime(o.judge(message), o.deadlineMs, o.onLate));
}

async function inTime(
  work: Promise<HookVerdict>,
  milliseconds: number,
  onLate: HookVerdict['restrain'],
): Promise<HookVerdict> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<HookVerdict>((resolve) => {
    timer = setTimeout(() => resolve({ restrain: onLate, reason: LATE }), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { restrain: onLate, reason: `Sallyport: no verdict (${why})` };
  } finally {
    clearTimeout(timer);
  }
}

const LATE = 'Sallyport: no verdict within the deadline';
