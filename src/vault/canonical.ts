import { createHash } from 'node:crypto';
import type { InjectorSpec } from '../core/index.ts';
import type { CredentialRecord } from './store.ts';

/**
 * Associated data: every field behind its length, so that no two lists of fields give the same bytes
 * (`["ab", "c"]` is not `["a", "bc"]`). The first field names what is sealed and the format.
 */
export function canonicalFields(fields: readonly string[]): Uint8Array {
  const parts: Buffer[] = [lengthPrefix(fields.length)];
  for (const field of fields) {
    const bytes = Buffer.from(field, 'utf8');
    parts.push(lengthPrefix(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

/**
 * What is sealed together with a secret (G2): who may use it, where, under whose certificates, and how. A row
 * of which any of it was changed in the database can't be opened.
 */
export function credentialContext(
  record: Omit<CredentialRecord, 'kekId' | 'wrappedKey' | 'sealed'>,
): Uint8Array {
  const { binding } = record;
  return canonicalFields([
    'sallyport/vault/credential/1',
    record.tenant,
    record.id,
    record.name,
    String(record.version),
    String(record.createdAt),
    record.createdBy,
    String(binding.destinations.length),
    ...binding.destinations.flatMap(({ scheme, host, port }) => [scheme, host, String(port)]),
    binding.upstreamCa === null ? 'system' : `pem ${sha256(binding.upstreamCa)}`,
    binding.allowPrivate ? 'private' : 'public',
    ...injectorFields(binding.injector),
  ]);
}

/** What a data key is wrapped with: it opens this version of this credential alone. */
export function dataKeyContext(
  record: Pick<CredentialRecord, 'tenant' | 'id' | 'version' | 'kekId'>,
): Uint8Array {
  return canonicalFields([
    'sallyport/vault/data-key/1',
    record.tenant,
    record.id,
    String(record.version),
    record.kekId,
  ]);
}

export function blobContext(context: string, kekId: string): Uint8Array {
  return canonicalFields(['sallyport/vault/blob/1', context, kekId]);
}

function injectorFields(injector: InjectorSpec): readonly string[] {
  switch (injector.kind) {
    case 'bearer':
      return ['bearer'];
    case 'basic':
      return ['basic', injector.username];
    case 'header':
      return ['header', injector.name, injector.prefix];
    case 'query':
      return ['query', injector.name];
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function lengthPrefix(length: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return prefix;
}
