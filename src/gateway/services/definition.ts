import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { formatOrigin, type Origin, Refusal, type Service } from '../../core/index.ts';
import { checkHost } from '../egress/destination.ts';
import { parseUrl } from '../egress/url.ts';
import { canonicalHost, defaultPort, parseAuthority } from '../ingress/authority.ts';

const MAX_ORIGINS = 32;

/** Names that stand for the gate itself in scopes and paths. */
const RESERVED: ReadonlySet<string> = new Set(['sallyport', 'session']);

const origin = z.union([
  z.string().transform((text, context): Origin => {
    const parsed = parseOrigin(text);
    if (parsed !== null) return parsed;
    context.addIssue({
      code: 'custom',
      message: 'must be an origin such as https://api.example.com, without a path',
    });
    return z.NEVER;
  }),
  z
    .strictObject({ scheme: z.enum(['https', 'http']), host: z.string(), port: z.int().min(1).max(65_535) })
    .transform(({ scheme, host, port }, context): Origin => {
      try {
        return { scheme, host: parseAuthority(host.includes(':') ? `[${host}]` : host).host, port };
      } catch {
        context.addIssue({ code: 'custom', message: 'names no host' });
        return z.NEVER;
      }
    }),
]);

const certificate = z
  .string()
  .refine(isAuthority, { message: 'must be a PEM certificate of a certificate authority' });

/** What an administrator says about a service; what is left out takes the safe value. */
export const serviceSchema = z.strictObject({
  tenant: z.string().min(1).max(64).default('default'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
      message: 'must be lower-case letters, digits and hyphens, 63 at most',
    })
    .refine((name) => !RESERVED.has(name), { message: 'is a reserved name' }),
  origins: z.array(origin).min(1).max(MAX_ORIGINS),
  credential: z.string().min(1).max(128).nullable().default(null),
  encodedSlash: z.enum(['refuse', 'opaque']).default('refuse'),
  allowPrivate: z.boolean().default(false),
  upstreamCa: certificate.nullable().default(null),
  inspectBody: z.boolean().default(false),
});

/** A checked definition. Throws `input_invalid` with every fault in `errors`. */
export function parseService(input: unknown): Service {
  const result = serviceSchema.safeParse(input);
  if (!result.success) {
    throw invalid(
      result.error.issues.map(({ path, message }) => `${path.join('.') || 'service'}: ${message}`),
    );
  }
  const service = result.data;
  const faults = [...duplicates(service.origins), ...unreachable(service)];
  if (faults.length > 0) throw invalid(faults);
  return service;
}

/** `https://api.example.com[:port]`; null for everything else, a path and userinfo included. */
export function parseOrigin(text: string): Origin | null {
  const url = parseUrl(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    return null;
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  try {
    const host = url.hostname.startsWith('[')
      ? parseAuthority(url.hostname).host
      : canonicalHost(url.hostname);
    return { scheme, host, port: url.port === '' ? defaultPort(scheme) : Number(url.port) };
  } catch {
    return null;
  }
}

function duplicates(origins: readonly Origin[]): string[] {
  const seen = new Set<string>();
  return origins.flatMap((one) => {
    const text = formatOrigin(one);
    if (seen.has(text)) return [`origins: ${text} is named twice`];
    seen.add(text);
    return [];
  });
}

/** Tells at registration what each call would be refused for. */
function unreachable({ origins, allowPrivate }: Service): string[] {
  return origins.flatMap((one) => {
    try {
      checkHost(one.host, { allowPrivate });
      return [];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [`origins: ${formatOrigin(one)} is private, local or reserved; allowPrivate may allow it`];
    }
  });
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}

function invalid(errors: readonly string[]): Refusal {
  return new Refusal('input_invalid', { detail: 'The service definition is not valid.', extra: { errors } });
}
