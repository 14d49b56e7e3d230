import { pino } from 'pino';
import type { AuditEventType, Effect, RefusalCode, Severity } from '../core/index.ts';
import { redact } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * All that a line of the log can tell beside its sentence. The set is closed: no headers, no bodies, no paths,
 * nothing of a request but what the gate itself made of it.
 */
export interface LogFields {
  readonly event?: AuditEventType;
  readonly callId?: string;
  readonly alertId?: string;
  /** Name of a registered service. */
  readonly service?: string;
  readonly code?: RefusalCode;
  readonly effect?: Effect;
  readonly severity?: Severity;
  readonly status?: number;
  readonly durationMs?: number;
  readonly listener?: 'control' | 'gateway' | 'monitor';
  readonly generation?: number;
  readonly callsCut?: number;
  readonly version?: string;
  /** Its name and message go into the line, never its members. */
  readonly fault?: unknown;
}

const FIELDS = [
  'event',
  'callId',
  'alertId',
  'service',
  'code',
  'effect',
  'severity',
  'status',
  'durationMs',
  'listener',
  'generation',
  'callsCut',
  'version',
] as const satisfies readonly Exclude<keyof LogFields, 'fault'>[];

/** A sentence that stands in the code: what is put together at run time does not compile. */
type Literal<S extends string> = string extends S ? never : S;
/** No field beside the known ones, also of a value that was made elsewhere. */
type Exactly<F> = F & { readonly [K in Exclude<keyof F, keyof LogFields>]: never };

export interface Logger {
  write<S extends string, F extends LogFields>(
    level: LogLevel,
    sentence: Literal<S> & S,
    fields?: Exactly<F>,
  ): void;
}

export interface LogOptions {
  readonly level: LogLevel | 'silent';
  /** `json`: one object a line; `text`: for people. */
  readonly format: 'json' | 'text';
  readonly out: { write(text: string): unknown };
  /** Name of the node, in every line. */
  readonly node: string;
}

/** The only place where the log of the service is made. Lines are written at once, in order. */
export function makeLogger(o: LogOptions): Logger {
  const log = pino(
    {
      level: o.level,
      base: { node: o.node },
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    { write: (line: string) => void o.out.write(o.format === 'json' ? line : forPeople(line)) },
  );
  return {
    write(level, sentence, fields) {
      if (log.isLevelEnabled(level)) log[level](pick(fields ?? {}), redact(sentence));
    },
  };
}

/** Only the known fields, and of them only plain values: the types say the same, and can be talked out of it. */
function pick(fields: LogFields): Record<string, string | number> {
  const line: Record<string, string | number> = {};
  for (const name of FIELDS) {
    const value: unknown = fields[name];
    if (typeof value === 'string') line[name] = redact(value);
    else if (typeof value === 'number') line[name] = value;
  }
  if (fields.fault !== undefined) {
    const { fault } = fields;
    line.fault = redact(fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault));
  }
  return line;
}

/** `12:00:00 warn A sentence. name=value` */
function forPeople(json: string): string {
  const { time, level, message, node: _node, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const more = Object.entries(rest).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${String(time).slice(11, 19)} ${String(level)} ${String(message)}${more.join('')}\n`;
}
