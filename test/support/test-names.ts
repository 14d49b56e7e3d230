import { readFileSync } from 'node:fs';
import ts from 'typescript';

const SUITES = new Set(['describe']);
const TESTS = new Set(['it', 'test']);
/** A test that is not run proves nothing. */
const NOT_RUN = new Set(['skip', 'todo', 'fails']);

/**
 * The names of the tests that a file declares and runs, each under its suites: `suite > name`. What a table or a
 * template fills in stands as `…`.
 */
export function testNamesOf(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const names: string[] = [];
  visit(source, []);
  return names;

  function visit(node: ts.Node, suites: readonly string[]): void {
    if (!ts.isCallExpression(node)) {
      ts.forEachChild(node, (child) => visit(child, suites));
      return;
    }
    const { word, modifiers } = calleeOf(node.expression);
    const name = nameOf(node.arguments[0]);
    const declares = name !== null && (SUITES.has(word) || TESTS.has(word));
    if (declares && modifiers.some((modifier) => NOT_RUN.has(modifier))) return;
    if (declares && TESTS.has(word)) names.push([...suites, name].join(' > '));
    const inside = declares && SUITES.has(word) ? [...suites, name] : suites;
    for (const argument of node.arguments) visit(argument, inside);
  }
}

/** `it`, `it.each(…)`, `describe.skipIf(…)`: the word at the root and what stands behind it. */
function calleeOf(expression: ts.Expression): {
  readonly word: string;
  readonly modifiers: readonly string[];
} {
  const modifiers: string[] = [];
  let at: ts.Expression = expression;
  for (;;) {
    if (ts.isIdentifier(at)) return { word: at.text, modifiers };
    if (ts.isPropertyAccessExpression(at)) {
      modifiers.push(at.name.text);
      at = at.expression;
    } else if (ts.isCallExpression(at)) at = at.expression;
    else return { word: '', modifiers };
  }
}

function nameOf(argument: ts.Expression | undefined): string | null {
  if (argument === undefined) return null;
  if (ts.isStringLiteralLike(argument)) return withoutFillers(argument.text);
  if (!ts.isTemplateExpression(argument)) return null;
  const spans = argument.templateSpans.map(({ literal }) => literal.text);
  return withoutFillers([argument.head.text, ...spans].join('…'));
}

/** As `it.each` fills them in. */
function withoutFillers(name: string): string {
  return name.replace(/%[sdifjo#]/g, '…');
}
