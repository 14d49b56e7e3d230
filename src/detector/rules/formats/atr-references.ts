/** Their lists of catalogues, with how an entry begins, and how we write it. */
const CATALOGUES = [
  ['owasp_agentic', /^(ASI(?:0[1-9]|10))\b/, 'OWASP-ASI:'],
  ['owasp_llm', /^(LLM(?:0[1-9]|10))\b/, 'OWASP-LLM:'],
  ['mitre_atlas', /^(AML\.T\d{4}(?:\.\d{3})?)\b/, 'ATLAS:'],
  ['mitre_attack', /^(T\d{4}(?:\.\d{3})?)\b/, 'ATTACK:'],
  ['cve', /^(CVE-\d{4}-\d{4,7})\b/, ''],
  ['cwe', /^(CWE-\d{1,5})\b/, ''],
] as const;

const MAX_REFERENCES = 16;

/** References of the kinds that findings carry; others are left out. */
export function referencesOf(references: Readonly<Record<string, unknown>>): readonly string[] {
  const found = CATALOGUES.flatMap(([name, form, prefix]) => {
    const list = references[name];
    if (!Array.isArray(list)) return [];
    return list.flatMap((entry) => {
      const id = typeof entry === 'string' ? form.exec(entry)?.[1] : undefined;
      return id === undefined ? [] : [`${prefix}${id}`];
    });
  });
  return [...new Set(found)].slice(0, MAX_REFERENCES);
}
