const MAX_CHARS = 1_000;
const REDACTED = '[secret]';

/** What our own secrets, and the usual ones of others, look like. */
const SECRETS: readonly RegExp[] = [
  // JWS in compact form: passports, proofs, assertions.
  /\beyJ[\w-]{5,}(?:\.[\w-]*){1,4}/g,
  /\bsp_[a-z]+_[\w-]+/g,
  /\bwhsec_[\w+/=-]+/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // The rest of a line: credentials may hold spaces.
  /\b(?:Bearer|Basic|DPoP|Digest|Negotiate)\s+[^\s"']+/gi,
  /\b(?:authorization|proxy-authorization|cookie|set-cookie|dpop|x-api-key)\s*[:=]\s*[^\r\n]+/gi,
  /\b(?:password|passwd|passphrase|secret|token|api[_-]?key)\s*[:=]\s*[^\s&,;]+/gi,
  // Userinfo in a URL.
  /(?<=:\/\/)[^\s/@]+(?=@)/g,
  /\b(?:ghp|gho|ghs|ghu|github_pat|glpat|xox[abprs]|sk|AKIA)[-_]?[\w-]{16,}/g,
  // Long runs without a space: keys in base64url or hex.
  /[A-Za-z0-9_+=-]{40,}/g,
];

/**
 * The second net of the log: what looks like a secret stands as `[secret]`. The first is that nothing secret is
 * handed to it. Control characters become spaces, so that nobody writes lines of his own.
 */
export function redact(text: string): string {
  let safe = text.slice(0, MAX_CHARS * 4);
  for (const pattern of SECRETS) safe = safe.replace(pattern, REDACTED);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  return safe.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, MAX_CHARS);
}
