import { formatOrigin, type JsonObject } from '../core/index.ts';
import type { CredentialBinding, CredentialRecord } from './store.ts';

/** What anybody may see of a credential: everything but the secret, which no interface gives back. */
export interface CredentialView {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly status: CredentialRecord['status'];
  readonly binding: CredentialBinding;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt: number | null;
}

export function toView(record: CredentialRecord): CredentialView {
  const { tenant, id, name, version, status, binding, createdAt, createdBy, revokedAt } = record;
  return { tenant, id, name, version, status, binding, createdAt, createdBy, revokedAt };
}

/** For the audit record of a put: the binding in words, the secret as a word. */
export function toChanges(record: CredentialRecord): JsonObject {
  return {
    name: record.name,
    version: record.version,
    destinations: record.binding.destinations.map(formatOrigin),
    upstreamCa: record.binding.upstreamCa !== null,
    allowPrivate: record.binding.allowPrivate,
    injector: record.binding.injector.kind,
    secret: '[secret]',
  };
}
