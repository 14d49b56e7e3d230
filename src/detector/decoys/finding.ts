import type { Finding } from '../../core/index.ts';
import type { DecoySight } from '../sessions/index.ts';
import type { DecoyRecord } from '../store.ts';

/** A decoy that leaves, named by its planting; never by its value. */
export function decoyFinding(decoy: DecoyRecord, where: string, sight: DecoySight | undefined): Finding {
  const planted = new Date(decoy.plantedAt).toISOString();
  const place = decoy.sid === null ? 'for every session' : `in session ${decoy.sid}`;
  const read =
    sight === undefined
      ? ''
      : ` This session had read it from ${sight.tool} at ${new Date(sight.at).toISOString()}.`;
  return {
    check: 'decoy.used',
    title: `A decoy was used: ${decoy.name}`,
    severity: decoy.severity,
    score: 1,
    evidence: `The decoy ${decoy.kind} ${decoy.name} stands in the ${where}. It was planted ${place} at ${planted} by ${decoy.plantedBy}.${read}`,
    references: ['OWASP-ASI:ASI01', 'ATLAS:AML.T0057'],
    decoy: { id: decoy.id, sid: decoy.sid, plantedAt: decoy.plantedAt },
  };
}
