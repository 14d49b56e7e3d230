/** Text that is HTML already: only `html` makes it, so that nothing gets in unescaped. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Part = string | number | Html | null | false | readonly Part[];

/** A template whose values are escaped unless they are HTML themselves. */
export function html(texts: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(texts.map((text, index) => `${text}${rendered(values[index] ?? null)}`).join(''));
}

function rendered(value: Part): string {
  if (value === null || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(rendered).join('');
  return String(value).replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** A whole page. */
export function page(o: {
  readonly title: string;
  readonly body: Html;
  readonly script?: boolean;
  readonly refresh?: string;
}): string {
  return `<!doctype html>${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${o.refresh === undefined ? null : html`<meta http-equiv="refresh" content="0;url=${o.refresh}">`}
<title>${o.title} · Sallyport</title>
<link rel="stylesheet" href="/people/style.css">
${o.script === true && html`<script type="module" src="/people/passkeys.js"></script>`}
</head>
<body><main>
<h1>${o.title}</h1>
${o.body}
</main></body>
</html>
`}`;
}
