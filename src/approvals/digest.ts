import { createHash } from 'node:crypto';
import { canonicalJson } from '../audit/index.ts';
import type { JsonValue } from '../core/index.ts';

/**
 * Everything that an approval is for (rule 8 of docs/guarantees.md). The passport's `jti` is not among it:
 * passports live five minutes, the lineage (`sid`) goes on.
 */
export type ApprovalBinding = (HttpBinding | ToolBinding | PassportBinding) & {
  /** How many people have to say yes; another number is another question. Absent: one. */
  readonly approvers?: 1 | 2;
};

export interface HttpBinding {
  readonly kind: 'http';
  readonly tenant: string;
  readonly sid: string;
  /** Who acts: others of the session were not shown to the person. */
  readonly agentId: string;
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
  readonly agentId: string;
  readonly tool: string;
  readonly args: JsonValue;
}

/** A passport that an agent asks a person for (OpenID CIBA). */
export interface PassportBinding {
  readonly kind: 'passport';
  readonly tenant: string;
  readonly sid: string;
  readonly agentId: string;
  readonly user: string;
  /** Hash of the request's id: asked twice, it is two questions. */
  readonly request: string;
  readonly scope: string;
  readonly audience: string;
  /** Authorization details, lifetime and what else was asked for. */
  readonly asked: JsonValue;
}

const DOMAIN = 'sallyport approval';

/** base64url SHA-256 over the fields, each behind its length, so that no two bindings give the same bytes. */
export function approvalDigest(binding: ApprovalBinding): string {
  const hash = createHash('sha256');
  const two = binding.approvers === 2 ? ['two approvers'] : [];
  for (const field of [DOMAIN, ...fieldsOf(binding), ...two]) {
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
        binding.agentId,
        binding.method,
        binding.url,
        binding.bodyDigest === null ? 'no body' : `body ${binding.bodyDigest}`,
        binding.service,
        binding.credential === null ? 'none' : `${binding.credential.name}@${binding.credential.version}`,
        String(binding.headers.length),
        ...binding.headers.flat(),
      ];
    case 'tool':
      return [
        'tool',
        binding.tenant,
        binding.sid,
        binding.agentId,
        binding.tool,
        canonicalJson(binding.args),
      ];
    case 'passport': {
      const { tenant, sid, agentId, user, request, scope, audience, asked } = binding;
      return ['passport', tenant, sid, agentId, user, request, scope, audience, canonicalJson(asked)];
    }
  }
}
