import { hash as digest } from 'node:crypto';
import type { AuditEvent } from '../core/index.ts';
import { canonicalJson } from './canonical.ts';
import { isAuditEvent } from './event-types.ts';

/** One entry of the log. */
export interface AuditRecord {
  /** 1 for the first record of a log, then without a gap. */
  readonly sequence: number;
  /** The node whose log it is. */
  readonly node: string;
  /** Hex hash of the record before it; 64 zeros in the first one. */
  readonly previous: string;
  /** Hex SHA-256 of the canonical JSON of the other four members. */
  readonly hash: string;
  readonly event: AuditEvent;
}

/** What `previous` says in the first record. */
export const GENESIS = '0'.repeat(64);

const HEX_HASH = /^[0-9a-f]{64}$/;

export interface EncodedRecord {
  /** Canonical JSON of the whole record, without the newline: these bytes are the leaf of the tree. */
  readonly line: string;
  readonly hash: string;
}

/** Chains an event to what stands before it. The event is turned into text once. */
export function encodeRecord(record: Omit<AuditRecord, 'hash'>): EncodedRecord {
  const head = `{"event":${canonicalJson(record.event)},`;
  // Canonical order of the members: event, hash, node, previous, sequence.
  const tail = `"node":${JSON.stringify(record.node)},"previous":"${record.previous}","sequence":${record.sequence}}`;
  const hash = digest('sha256', head + tail, 'hex');
  return { line: `${head}"hash":"${hash}",${tail}`, hash };
}

/** Why a line is not a record. */
export class RecordFault extends Error {
  override readonly name = 'RecordFault';
}

/**
 * Reads one line back, strictly: any change of a byte, a member too many and any other spelling of the same
 * value is a fault. Throws RecordFault.
 */
export function decodeRecord(line: string): AuditRecord {
  const record = parseRecord(line);
  const again = encodeAgain(record);
  if (again.hash !== record.hash) throw new RecordFault('the hash does not match the content');
  if (again.line !== line) throw new RecordFault('the line is not in canonical form');
  return record;
}

function encodeAgain(record: AuditRecord): EncodedRecord {
  try {
    return encodeRecord(record);
  } catch (cause) {
    throw new RecordFault('the line is not in canonical form', { cause });
  }
}

function parseRecord(line: string): AuditRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new RecordFault('the line is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null) throw new RecordFault('the line is not a record');
  if (
    !('sequence' in value && 'node' in value && 'previous' in value && 'hash' in value && 'event' in value)
  ) {
    throw new RecordFault('the record lacks a member');
  }
  const { sequence, node, previous, hash, event } = value;
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) {
    throw new RecordFault('the sequence number is not one');
  }
  if (typeof node !== 'string') throw new RecordFault('the node is not a name');
  if (typeof previous !== 'string' || !HEX_HASH.test(previous)) {
    throw new RecordFault('the link to the record before is not a hash');
  }
  if (typeof hash !== 'string' || !HEX_HASH.test(hash)) throw new RecordFault('the hash is not one');
  if (!isAuditEvent(event)) throw new RecordFault('the event is not of a known type');
  return { sequence, node, previous, hash, event };
}
