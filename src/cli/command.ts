import type { AdminClient } from './client/admin-client.ts';
import type { Environment } from './environment.ts';
import type { Output } from './output.ts';
import type { State } from './state.ts';
import type { Terminal } from './terminal.ts';

/** One option as parseArgs takes it, with the words of the help. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly short?: string;
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type ValueOf<O extends OptionSpec> = O['type'] extends 'boolean'
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : string | undefined;

/** Booleans that are absent are false, repeatable options that are absent are empty. */
export type Values<O extends OptionSpecs> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** `NAME`, `[NAME]` (may be left out), `NAME…` (the last one, once or more often) or `-- CMD…` (all that stands behind two dashes). */
export interface ArgumentSpec {
  readonly name: string;
  readonly optional?: boolean;
  readonly repeats?: boolean;
  readonly help: string;
}

/** What every verb gets. */
export interface BareContext<V> {
  readonly values: V;
  readonly args: readonly string[];
  /** What stands behind `--`; null when there is no `--`. */
  readonly rest: readonly string[] | null;
  readonly output: Output;
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

export interface CommandContext<V> extends BareContext<V> {
  readonly state: State;
  /** The admin API, with the token that was found; throws CliFault when there is none. */
  readonly client: AdminClient;
  /** `--url`; undefined: as configured here. */
  readonly url: string | undefined;
}

/** One verb. Bare ones need neither settings nor service: they start without what reads and speaks with them. */
export type Command = CommandText &
  (
    | { readonly kind: 'bare'; run(context: BareContext<Values<OptionSpecs>>): Promise<number | undefined> }
    | {
        readonly kind: 'full';
        run(context: CommandContext<Values<OptionSpecs>>): Promise<number | undefined>;
      }
  );

/** What the help, the reference page and the parser are made from. */
interface CommandText {
  /** `agent add`, `up`. */
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  /** Takes `-- CMD…`. */
  readonly rest: string | null;
  readonly options: OptionSpecs;
  readonly examples: readonly string[];
}

interface CommandSpec<O extends OptionSpecs, C> {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly rest?: string;
  readonly options?: O;
  readonly examples: readonly string[];
  /**
   * The exit code; undefined: ok. Rooms are loaded here, by `import()`, and never at the top of a verb's file: the help
   * and the completion load the files of all verbs, and would wait for all rooms (test/unit/cli/start.test.ts).
   */
  run(context: C): Promise<number | undefined>;
}

export function defineCommand<const O extends OptionSpecs>(
  spec: CommandSpec<O, CommandContext<Values<O>>>,
): Command {
  // The parser fills in exactly the members that `options` names.
  return { ...textOf(spec), kind: 'full', run: (context) => spec.run(context as CommandContext<Values<O>>) };
}

/** A verb that needs neither settings nor service. */
export function defineBareCommand<const O extends OptionSpecs>(
  spec: CommandSpec<O, BareContext<Values<O>>>,
): Command {
  return { ...textOf(spec), kind: 'bare', run: (context) => spec.run(context as BareContext<Values<O>>) };
}

function textOf(spec: CommandSpec<OptionSpecs, never>): CommandText {
  return {
    name: spec.name,
    summary: spec.summary,
    arguments: spec.arguments ?? [],
    rest: spec.rest ?? null,
    options: spec.options ?? {},
    examples: spec.examples,
  };
}

/** The argument at a place; the parser has checked that it is there. */
export function argument(args: readonly string[], at: number): string {
  const found = args[at];
  if (found === undefined) throw new TypeError(`argument ${at} is not declared by this command`);
  return found;
}
