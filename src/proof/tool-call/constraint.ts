import type { JsonValue } from '../../core/index.ts';
import { ProofFault } from '../fault.ts';

export type Scalar = string | number | boolean | null;

/** What one argument must be. Every member that is there must hold; an argument that is absent satisfies none. */
export type ArgumentConstraint = {
  readonly eq?: Scalar;
  readonly in?: readonly Scalar[];
  /** Of a text, character by character: paths and URLs are not resolved first. */
  readonly prefix?: string;
  readonly max?: number;
  readonly min?: number;
};

const MEMBERS: ReadonlySet<string> = new Set(['eq', 'in', 'prefix', 'max', 'min']);
const TEXT_CHARS = 256;
const CHOICES = 32;

/** Throws ProofFault('details'). */
export function parseConstraint(value: JsonValue): ArgumentConstraint {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw faulty('is no JSON object');
  const names = Object.keys(value);
  const unknown = names.find((name) => !MEMBERS.has(name));
  if (unknown !== undefined || names.length === 0)
    throw faulty('has members other than eq, in, prefix, max, min');
  const given = value as Readonly<Record<string, JsonValue>>;
  return {
    ...(Object.hasOwn(given, 'eq') ? { eq: scalar(given.eq) } : {}),
    ...(Object.hasOwn(given, 'in') ? { in: choices(given.in) } : {}),
    ...(Object.hasOwn(given, 'prefix') ? { prefix: text(given.prefix) } : {}),
    ...(Object.hasOwn(given, 'max') ? { max: finite(given.max) } : {}),
    ...(Object.hasOwn(given, 'min') ? { min: finite(given.min) } : {}),
  };
}

/** Whether an argument is as the constraint says. */
export function satisfies(value: JsonValue | undefined, constraint: ArgumentConstraint): boolean {
  if (value === undefined || (value !== null && typeof value === 'object')) return false;
  if (constraint.eq !== undefined && value !== constraint.eq) return false;
  if (constraint.in !== undefined && !constraint.in.includes(value)) return false;
  if (
    constraint.prefix !== undefined &&
    !(typeof value === 'string' && value.startsWith(constraint.prefix))
  ) {
    return false;
  }
  if (constraint.max !== undefined && !(typeof value === 'number' && value <= constraint.max)) return false;
  return constraint.min === undefined || (typeof value === 'number' && value >= constraint.min);
}

/**
 * Whether everything that satisfies `child` satisfies `parent`. Says no where it can't be sure: a child is
 * refused too much rather than granted.
 */
export function implies(child: ArgumentConstraint, parent: ArgumentConstraint): boolean {
  // The values that the child leaves: few and named, or all that its bounds allow.
  const left = child.eq !== undefined ? [child.eq] : child.in;
  if (left !== undefined) return left.every((value) => satisfies(value, parent));
  if (parent.eq !== undefined || parent.in !== undefined) return false;
  return (
    (parent.prefix === undefined || child.prefix?.startsWith(parent.prefix) === true) &&
    (parent.max === undefined || (child.max !== undefined && child.max <= parent.max)) &&
    (parent.min === undefined || (child.min !== undefined && child.min >= parent.min))
  );
}

function scalar(value: JsonValue | undefined): Scalar {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return finite(value);
  return text(value);
}

function choices(value: JsonValue | undefined): readonly Scalar[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > CHOICES) {
    throw faulty(`has an in that is not 1 to ${CHOICES} values`);
  }
  return value.map(scalar);
}

function text(value: JsonValue | undefined): string {
  if (typeof value !== 'string' || value.length > TEXT_CHARS || !value.isWellFormed()) {
    throw faulty(
      `has a value that is not a text of at most ${TEXT_CHARS} characters, a number, true, false or null`,
    );
  }
  return value;
}

function finite(value: JsonValue | undefined): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw faulty('has a bound that is no number');
  return value;
}

function faulty(what: string): ProofFault {
  return new ProofFault('details', `A constraint on an argument ${what}.`);
}
