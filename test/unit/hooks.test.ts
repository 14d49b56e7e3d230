import { describe, expect, it } from 'vitest';
import { findOurs, HOSTS, handleHook, withHooks, withoutHooks } from '../../src/hooks/index.ts';

const COMMAND = '/opt/sallyport/bin/sallyport hook run claude-code';
const OTHERS = {
  model: 'large',
  hooks: {
    PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: './audit.sh', timeout: 5 }] }],
    Stop: [{ hooks: [{ type: 'command', command: 'beep' }] }],
  },
};

describe('the settings of a host', () => {
  it('get our hooks once, however often they are installed, and keep all else', () => {
    const once = withHooks(OTHERS, 'claude-code', COMMAND);
    expect(withHooks(once, 'claude-code', COMMAND)).toEqual(once);
    expect(findOurs(once)).toBe(3);
    expect(once.model).toBe('large');
    expect(once.hooks).toMatchObject({
      PreToolUse: [OTHERS.hooks.PreToolUse[0], { matcher: '*', hooks: [{ command: COMMAND }] }],
      Stop: OTHERS.hooks.Stop,
      UserPromptSubmit: [{ hooks: [{ type: 'command', command: COMMAND, timeout: 30 }] }],
    });
  });

  it('are as before when they are taken out', () => {
    expect(withoutHooks(withHooks(OTHERS, 'claude-code', COMMAND))).toEqual(OTHERS);
    expect(withoutHooks(withHooks({}, 'gemini-cli', COMMAND))).toEqual({});
    const shared = {
      hooks: { PreToolUse: [{ matcher: '*', hooks: [{ command: 'x' }, { command: COMMAND }] }] },
    };
    expect(withoutHooks(shared)).toEqual({
      hooks: { PreToolUse: [{ matcher: '*', hooks: [{ command: 'x' }] }] },
    });
  });

  it('of another shape are left alone', () => {
    for (const hooks of [
      [],
      'x',
      { PreToolUse: {} },
      { PreToolUse: ['x'] },
      { PreToolUse: [{ hooks: 5 }] },
    ]) {
      expect(() => withHooks({ hooks }, 'claude-code', COMMAND)).toThrow(TypeError);
    }
  });
});

describe('a hook', () => {
  const call = JSON.stringify({
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command: 'ls' },
  });
  const judged = (restrain: 'deny' | 'ask' | 'none') => () =>
    Promise.resolve({ restrain, reason: 'because' } as const);

  it('never says allow, whatever the verdict', async () => {
    for (const host of Object.keys(HOSTS) as (keyof typeof HOSTS)[]) {
      for (const restrain of ['deny', 'ask', 'none'] as const) {
        for (const event of [
          'PreToolUse',
          'BeforeTool',
          'PermissionRequest',
          'PostToolUse',
          'AfterTool',
          'Stop',
        ]) {
          const stdin = JSON.stringify({ hook_event_name: event, tool_name: 'Bash', tool_input: {} });
          const { stdout } = await handleHook({
            host,
            stdin,
            judge: judged(restrain),
            deadlineMs: 1_000,
            onLate: 'none',
          });
          expect(stdout).not.toMatch(/"(?:allow|approve)"/);
        }
      }
    }
  });

  it('says what was configured when the gate fails or is late', async () => {
    const failing = () => Promise.reject(new Error('the gateway can not be reached'));
    const late = () => new Promise<never>(() => {});
    for (const judge of [failing, late]) {
      const deny = await handleHook({
        host: 'claude-code',
        stdin: call,
        judge,
        deadlineMs: 10,
        onLate: 'deny',
      });
      expect(JSON.parse(deny.stdout).hookSpecificOutput.permissionDecision).toBe('deny');
      const none = await handleHook({
        host: 'claude-code',
        stdin: call,
        judge,
        deadlineMs: 10,
        onLate: 'none',
      });
      expect(none).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    }
  });

  it('blocks on what it does not understand, before the gate is asked', async () => {
    let asked = 0;
    const judge = () => {
      asked += 1;
      return judged('none')();
    };
    for (const stdin of [
      '',
      ' ',
      'x',
      '5',
      '{}',
      '{"hook_event_name":"PreToolUse"}',
      '{"hook_event_name":""}',
    ]) {
      const answer = await handleHook({
        host: 'claude-code',
        stdin,
        judge,
        deadlineMs: 1_000,
        onLate: 'none',
      });
      expect(answer).toMatchObject({ exitCode: 2, stdout: '' });
      expect(answer.stderr).toMatch(/^The hook input was not understood: .+\.\n$/);
    }
    expect(asked).toBe(0);
  });
});
