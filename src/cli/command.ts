import type { AdminClient } from './client/admin-client.ts';
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

export interface CommandContext<V> {
  readonly values: V;
  readonly args: readonly string[];
  /** What stands behind `--`; null when there is no `--`. */
  readonly rest: readonly string[] | null;
  readonly output: Output;
  readonly terminal: Terminal;
  readonly state: State;
  /** The admin API, with the token that was found; throws CliFault when there is none. */
  readonly client: AdminClient;
  /** `--url`; undefined: as configured here. */
  readonly url: string | undefined;
  readonly signal: AbortSignal;
}

/** One verb: what the help, the reference page and the parser are made from. */
export interface Command {
  /** `agent add`, `up`. */
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  /** Takes `-- CMD…`. */
  readonly rest: string | null;
  readonly options: OptionSpecs;
  readonly examples: readonly string[];
  /** The exit code; undefined: ok. */
  run(context: CommandContext<Values<OptionSpecs>>): Promise<number | undefined>;
}

export function defineCommand<const O extends OptionSpecs>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly rest?: string;
  readonly options?: O;
  readonly examples: readonly string[];
  run(context: CommandContext<Values<O>>): Promise<number | undefined>;
}): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    arguments: spec.arguments ?? [],
    rest: spec.rest ?? null,
    options: spec.options ?? {},
    examples: spec.examples,
    // The parser fills in exactly the members that `options` names.
    run: (context) => spec.run(context as CommandContext<Values<O>>),
  };
}

/** The argument at a place; the parser has checked that it is there. */
export function argument(args: readonly string[], at: number): string {
  const found = args[at];
  if (found === undefined) throw new TypeError(`argument ${at} is not declared by this command`);
  return found;
}
