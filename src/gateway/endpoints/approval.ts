import { Refusal } from '../../core/index.ts';
import { verifyPassport } from '../steps.ts';
import type { Endpoint } from './endpoint.ts';

/** A waiting agent comes back after this; proxies on the way close what is silent for longer. */
const MAX_WAIT_SECONDS = 60;

/** `GET /v1/approvals/<id>?wait=<seconds>`: what became of a held call, told to the session that made it. */
export function approvalEndpoint(prefix: string): Endpoint {
  return {
    methods: ['GET'],
    answer: async (request) => {
      const { line, story, path, query, response } = request;
      const passport = await verifyPassport(line, story, request.presented());
      const id = path.slice(prefix.length);
      const { tenant, sid } = passport.subject;
      const record = await line.approvals.get(tenant, id);
      // An approval of another session is as good as none: ids must not tell what others do.
      if (record === null || record.sid !== sid) throw new Refusal('not_found');
      const seconds = parseWait(query.get('wait'));
      const gone = new AbortController();
      const onClose = () => gone.abort();
      response.once('close', onClose);
      try {
        const now =
          seconds === 0 || record.status !== 'pending'
            ? record
            : await line.approvals.wait({ tenant, id, timeoutMs: seconds * 1000, signal: gone.signal });
        const { status, expiresAt, reason } = now;
        return { status: 200, body: { id, status, expiresAt, reason } };
      } finally {
        response.off('close', onClose);
      }
    },
  };
}

function parseWait(text: string | null): number {
  if (text === null) return 0;
  if (!/^\d{1,4}$/.test(text)) {
    throw new Refusal('input_invalid', {
      detail: '`wait` is a number of seconds.',
      extra: { errors: ['wait'] },
    });
  }
  return Math.min(Number(text), MAX_WAIT_SECONDS);
}
