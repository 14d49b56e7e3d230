import { type Curve, type Figures, recallAt } from '../../detector/index.ts';

/** Pages are looked at, not searched: of long lists the beginning is shown. */
const MAX_LISTED = 50;
const [WIDTH, HEIGHT, EDGE] = [360, 260, 40];
/** The least share of false alarms that the curves show; they are logarithmic, because the rare ones matter. */
const LEAST = 0.0005;

/** A report as one HTML file: no script, nothing loaded from anywhere. */
export function reportPage(figures: readonly Figures[], madeAt: Date): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Sallyport detector report</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{padding:.35rem .6rem;border-bottom:1px solid #d5dce3;text-align:right}
th:first-child,td:first-child{text-align:left}figure{display:inline-block;margin:.5rem 1rem .5rem 0}figcaption{font-size:13px;color:#4a5866}
.grid{stroke:#e3e8ed}.axis{stroke:#7a8896}.curve{fill:none;stroke:#0b6bcb;stroke-width:2}text{font-size:11px;fill:#4a5866}
code{font-size:13px}
</style>
</head>
<body>
<h1>Detector report</h1>
<p>Made at ${madeAt.toISOString()}. Stopped: a call of the attack was held or denied before the first harm was done. Disturbed:
anything of a benign session was held or denied.</p>
${table(figures)}
${figures.map(section).join('\n')}
</body>
</html>
`;
}

function table(figures: readonly Figures[]): string {
  const rows = figures.map(
    (one) =>
      `<tr><td>${escaped(one.name)}</td><td>${one.attacks}</td><td>${percent(one.stopped, one.attacks)}</td><td>${one.benign}</td><td>${percent(one.disturbed, one.benign)}</td><td>${percent(one.suspected, one.benign)}</td><td>${area(one.calls)}</td><td>${area(one.results)}</td></tr>`,
  );
  return `<table>
<thead><tr><th>sessions</th><th>attacks</th><th>stopped</th><th>benign</th><th>disturbed</th><th>suspected</th><th>calls, AUC</th><th>results, AUC</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function section(one: Figures): string {
  const disturbing = [...one.disturbing].map(([id, checks]) => `${id} (${checks.join(', ')})`);
  return `<h2>${escaped(one.name)}</h2>
${figure('Calls that do harm, against calls of benign sessions', one.calls)}
${figure('Results that carry an injection, against those of benign sessions', one.results)}
${reliability(one.reliability)}
${listed('Attacks that were missed', one.missed)}
${listed('Benign sessions that were disturbed', disturbing)}`;
}

/** What a score is worth: the share of calls with about that score that did what an attacker wants. */
function reliability(ranges: Figures['reliability']): string {
  const rows = ranges.map(
    ({ from, below, calls, meanScore, harmful }) =>
      `<tr><td>${below === 0 ? '0' : `${from} to ${below}`}</td><td>${calls}</td><td>${meanScore.toFixed(2)}</td><td>${percent(harmful, calls)}</td></tr>`,
  );
  return `<h3>What a score is worth</h3>
<table>
<thead><tr><th>risk of the call</th><th>calls</th><th>mean risk</th><th>did what an attacker wants</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function listed(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const more = items.length > MAX_LISTED ? `<li>and ${items.length - MAX_LISTED} more</li>` : '';
  const shown = items.slice(0, MAX_LISTED).map((item) => `<li><code>${escaped(item)}</code></li>`);
  return `<h3>${title}: ${items.length}</h3>\n<ul>${shown.join('')}${more}</ul>`;
}

function figure(title: string, curve: Curve): string {
  if (curve.auc === null) return '';
  const path = curve.points.map(
    ({ falseAlarms, recall }, at) => `${at === 0 ? 'M' : 'L'}${across(falseAlarms)} ${down(recall)}`,
  );
  const marks = [0.001, 0.01, 0.1, 1].map(
    (share) =>
      `<line class="grid" x1="${across(share)}" y1="${EDGE / 2}" x2="${across(share)}" y2="${HEIGHT - EDGE}"/><text x="${across(share)}" y="${HEIGHT - EDGE + 14}" text-anchor="middle">${share * 100} %</text>`,
  );
  const levels = [0, 0.5, 1].map(
    (share) =>
      `<line class="grid" x1="${EDGE}" y1="${down(share)}" x2="${WIDTH - EDGE / 2}" y2="${down(share)}"/><text x="${EDGE - 4}" y="${Number(down(share)) + 4}" text-anchor="end">${share * 100} %</text>`,
  );
  const at = (share: number) => shown(recallAt(curve, share));
  return `<figure>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="ROC curve: ${title}">
${marks.join('')}${levels.join('')}
<path class="curve" d="${path.join('')}"/>
<text x="${WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">false alarms</text>
</svg>
<figcaption>${title}: ${curve.positives} against ${curve.negatives}; AUC ${curve.auc.toFixed(4)}; recall ${at(0.005)} at 0.5 %, ${at(0.01)} at 1 %</figcaption>
</figure>`;
}

function across(share: number): string {
  const part = Math.log10(Math.max(share, LEAST) / LEAST) / Math.log10(1 / LEAST);
  return (EDGE + part * (WIDTH - 1.5 * EDGE)).toFixed(1);
}

function down(share: number): string {
  return (HEIGHT - EDGE - share * (HEIGHT - 1.5 * EDGE)).toFixed(1);
}

function area({ auc }: Curve): string {
  return auc === null ? '–' : auc.toFixed(4);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : shown(part / whole);
}

function shown(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)} %`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
