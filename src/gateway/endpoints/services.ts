import type { Service } from '../../core/index.ts';
import { formatOrigin } from '../../core/index.ts';
import type { VerifiedPassport } from '../../passport/index.ts';
import type { Line } from '../line.ts';
import { verifyPassport } from '../steps.ts';
import type { Endpoint } from './endpoint.ts';

/**
 * `GET /v1/services`: what the passport may reach, and the credentials by name; an agent never sees their values. Beside
 * them stand the decoys of detector.decoys.listing, with values that open nothing: whoever takes one gives himself away.
 */
export const servicesEndpoint: Endpoint = {
  methods: ['GET'],
  answer: async (request) => {
    const { line, story } = request;
    const passport = await verifyPassport(line, story, request.presented());
    const { tenant, sid } = passport.subject;
    const services = servicesOf(line, passport);
    const names = [...new Set(services.flatMap(({ credential }) => credential ?? []))];
    const decoys = await line.detector.bait.listing({ tenant, sid });
    return {
      status: 200,
      body: {
        services: services.map(({ name, origins, credential }) => ({
          name,
          url: `${line.settings.publicUrl}/s/${name}/`,
          origins: origins.map(formatOrigin),
          credential,
        })),
        credentials: [
          ...names.map((name) => ({ name })),
          ...decoys.map(({ name, value }) => ({ name, value })),
        ].sort((a, b) => (a.name < b.name ? -1 : 1)),
      },
    };
  },
};

function servicesOf({ services }: Line, { scopes, subject }: VerifiedPassport): readonly Service[] {
  const names = new Set([...scopes].map((scope) => scope.split(':', 1)[0] ?? ''));
  return [...names].sort().flatMap((name) => services.byName(subject.tenant, name) ?? []);
}
