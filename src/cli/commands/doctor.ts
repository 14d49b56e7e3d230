import { type CommandContext, defineCommand } from '../command.ts';
import { checkProgram } from '../doctor/checks/program.ts';
import type { Finding, Level } from '../doctor/finding.ts';
import { CliFault, EXIT } from '../fault.ts';
import type { Output } from '../output.ts';
import { PROGRAM_ROOT } from '../program-root.ts';
import type { State } from '../state.ts';

const MARKS: Readonly<Record<Level, string>> = {
  ok: 'ok',
  note: 'note',
  warning: 'WARNING',
  fault: 'FAULT',
  skipped: '-',
};

export const doctor = defineCommand({
  name: 'doctor',
  summary:
    'Find what is wrong with this installation, running or not, and say how to mend it; changes nothing. Exit code 1 when there is a fault.',
  options: {
    deep: {
      type: 'boolean',
      help: 'Check every record of the audit log, not only those since the last checkpoints.',
    },
    strict: { type: 'boolean', help: 'Exit code 1 for warnings, too.' },
  },
  examples: ['sallyport doctor', 'sallyport doctor --deep --json', 'sallyport doctor --strict'],
  async run(context) {
    const { output, values, state } = context;
    const settings = settingsFaults(state);
    const findings =
      settings.length > 0
        ? [
            ...checkProgram({ programRoot: PROGRAM_ROOT }).map((found) => ({ check: 'program', ...found })),
            ...settings,
          ]
        : await examineState(context, values.deep);
    const faults = findings.filter(({ level }) => level === 'fault').length;
    const warnings = findings.filter(({ level }) => level === 'warning').length;
    show(output, findings, faults, warnings);
    return faults > 0 || (values.strict && warnings > 0) ? EXIT.refused : EXIT.ok;
  },
});

async function examineState(
  context: Pick<CommandContext<unknown>, 'state' | 'client' | 'url'>,
  deep: boolean,
): Promise<readonly Finding[]> {
  const { state, client, url } = context;
  // Loaded here: the checks know every room, and `sallyport --help` must not wait for them.
  const [{ examine }, { askService }, { takeInventory }] = await Promise.all([
    import('../doctor/examine.ts'),
    import('../doctor/service-state.ts'),
    import('../doctor/inventory.ts'),
  ]);
  const { config } = state;
  const service = await askService({ client, url: url ?? state.controlUrl });
  return examine({
    programRoot: PROGRAM_ROOT,
    config,
    service,
    inventory: await takeInventory(config, service),
    now: Date.now(),
    deep,
    uid: process.getuid?.() ?? null,
  });
}

/** All faults of the settings at once; without settings nothing else can be looked at. */
function settingsFaults(state: State): readonly Finding[] {
  try {
    void state.config;
    return [];
  } catch (cause) {
    if (!(cause instanceof CliFault)) throw cause;
    const lines = cause.message.split('\n').flatMap((line) => /^ {2}- (.*)/.exec(line)?.[1] ?? []);
    const remedy = 'Correct it; docs/reference/configuration.md lists all settings.';
    return (lines.length > 0 ? lines : [cause.message]).map((what) => ({
      check: 'settings',
      level: 'fault' as const,
      what,
      remedy,
    }));
  }
}

function show(output: Output, findings: readonly Finding[], faults: number, warnings: number): void {
  if (output.json) {
    output.result({ ok: faults === 0, faults, warnings, findings }, '');
    return;
  }
  for (const finding of findings) {
    output.record(
      { ...finding },
      () => `${MARKS[finding.level].padEnd(8)} ${finding.check.padEnd(10)} ${finding.what}`,
    );
    if (finding.remedy !== null) output.record({ ...finding }, () => `${' '.repeat(19)} ${finding.remedy}`);
  }
  const counts = `${faults} ${faults === 1 ? 'fault' : 'faults'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  output.say(faults + warnings === 0 ? 'Nothing is wrong.' : `${counts}.`);
}
