import { cpus } from 'node:os';

export type Row = Readonly<Record<string, string | number | null | undefined>>;

/** The table for people, and with `--json`, last, one object on one line. */
export function report(
  bench: string,
  rows: readonly Row[],
  o: { readonly json: boolean; readonly notes?: readonly string[] },
): void {
  printTable(rows);
  for (const note of o.notes ?? []) console.log(note);
  if (!o.json) return;
  const head = { bench, node: process.version, cpu: cpuName(), date: new Date().toISOString() };
  console.log(JSON.stringify({ ...head, rows }));
}

export function cpuName(): string {
  const all = cpus();
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown'}`;
}

/** Columns are the members that any row has, in the order of their first appearance; notes stand below. */
export function printTable(rows: readonly Row[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (name) => name !== 'note' && name !== 'skipped',
  );
  const cells = rows.map((row) => columns.map((name) => textOf(row[name])));
  const widths = columns.map((name, at) =>
    Math.max(name.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const draw = (line: readonly string[], numbers: readonly boolean[]) =>
    console.log(
      line
        .map((text, at) => (numbers[at] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  draw(
    columns,
    columns.map((name) => rows.some((row) => typeof row[name] === 'number')),
  );
  rows.forEach((row, at) => {
    draw(
      cells[at] ?? [],
      columns.map((name) => typeof row[name] === 'number'),
    );
    if (typeof row.skipped === 'string') console.log(`    skipped: ${row.skipped}`);
    if (typeof row.note === 'string') console.log(`    ${row.note}`);
  });
}

function textOf(value: Row[string]): string {
  return value === null || value === undefined ? '-' : String(value);
}
