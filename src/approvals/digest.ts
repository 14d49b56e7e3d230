import { createHash } from 'node:crypto';
import { canonicalJson } from '../audit/index.ts';
import type { JsonValue } from '../core/index.ts';

/**
 * Everything that an approval is for (rule 8 of docs/guarantees.md). The passport's `jti` is not among it:
 * passports live five minutes, the lineage (`sid`) goes on.
 */
export type ApprovalBinding = HttpBinding | ToolBinding;

export interface HttpBinding {
  readonly kind: 'http';
  readonly tenant: string;
  readonly sid: string;
  readonly method: string;
  /** Canonical URL with its query. */
  readonly url: string;
  /** base64url SHA-256 of the body; null: no body. */
  readonly bodyDigest: string | null;
  /** The headers that policy names, in the order of policy. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly service: string;
  readonly credential: { readonly name: string; readonly version: number } | null;
}

export interface ToolBinding {
  readonly kind: 'tool';
  readonly tenant: string;
  readonly sid: string;
  readonly tool: string;
  readonly args: JsonValue;
}

const DOMAIN = 'sallyport approval';

/** base64url SHA-256 over the fields, each behind its length, so that no two bindings give the same bytes. */
export function approvalDigest(binding: ApprovalBinding): string {
  const hash = createHash('sha256');
  for (const field of [DOMAIN, ...fieldsOf(binding)]) {
    const bytes = Buffer.from(field, 'utf8');
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('base64url');
}

function fieldsOf(binding: ApprovalBinding): readonly string[] {
  switch (binding.kind) {
    case 'http':
      return [
        'http',
        binding.tenant,
        binding.sid,
        binding.method,
        binding.url,
        binding.bodyDigest === null ? 'no body' : `body ${binding.bodyDigest}`,
        binding.service,
        binding.credential === null ? 'none' : `${binding.credential.name}@${binding.credential.version}`,
        String(binding.headers.length),
        ...binding.headers.flat(),
      ];
    case 'tool':
      return ['tool', binding.tenant, binding.sid, binding.tool, canonicalJson(binding.args)];
  }
}
