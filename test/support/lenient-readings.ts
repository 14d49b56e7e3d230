/**
 * What upstreams make of a path that is not plain: decoded once more, parameters cut off, backslashes read as
 * slashes, NUL as the end, dot segments resolved. A path is safe when no reading of it names the forbidden place.
 */
export function lenientReadings(target: string): ReadonlySet<string> {
  const readings = new Set<string>();
  let path = target.split('?')[0] ?? '';
  for (let round = 0; round < 4; round++) {
    for (const one of [
      path,
      path.replace(/;[^/]*/g, ''),
      path.replaceAll('\\', '/'),
      path.split('\0')[0] ?? '',
    ]) {
      readings.add(resolved(one));
      readings.add(resolved(one.replace(/;[^/]*/g, '').replaceAll('\\', '/')));
    }
    path = decodedOnce(path);
  }
  return readings;
}

function decodedOnce(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

function resolved(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
