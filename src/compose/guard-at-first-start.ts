import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isMap, parseDocument } from 'yaml';
import type { Config } from '../config/index.ts';
import { whyNoEngine } from '../guard/index.ts';

const COMMENT =
  ' No guard engine could be built at the first start, so that none is needed here (docs/reference/guard.md).';

/**
 * At the first start on a machine that can have no engine, the setting that says so is written down: whoever reads
 * the file sees what is missing, and an engine that is built later is not needed by surprise. The sentence for the
 * administrator; null: there was nothing to write.
 */
export function settleGuardAtFirstStart(
  config: Pick<Config, 'guard' | 'paths'>,
  reason: string | null = whyNoEngine(),
): string | null {
  const { guard, paths } = config;
  if (!guard.enabled || guard.required !== null || guard.remote !== null) return null;
  if (reason === null) return null;
  const document = parseDocument(existsSync(paths.file) ? readFileSync(paths.file, 'utf8') : '');
  document.setIn(['guard', 'required'], false);
  const section = document.get('guard');
  if (isMap(section)) section.commentBefore ??= COMMENT;
  const draft = `${paths.file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(draft, document.toString(), { mode: 0o600, flag: 'wx' });
    renameSync(draft, paths.file);
  } catch (cause) {
    rmSync(draft, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    return `${reason} guard.required: false could not be written into ${paths.file} (${why}).`;
  }
  return `${reason} So guard.required: false was written into ${paths.file}.`;
}
