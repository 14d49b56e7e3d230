import { type SettingLeaf, settingLeaves } from './leaves.ts';

/** The text of docs/reference/configuration.md. */
export function configurationReference(): string {
  const sections = Map.groupBy(settingLeaves(), (leaf) => leaf.section);
  const parts = [...sections].map(
    ([section, leaves]) => `## ${section}\n\n${leaves.map(describeLeaf).join('\n')}`,
  );
  return `${HEAD}\n${parts.join('\n\n')}\n`;
}

const HEAD = `# Configuration

Generated from src/config/schema.ts by \`npm run docs\`.

Settings stand in \`sallyport.yaml\` in the state folder (\`SALLYPORT_HOME\`; default: the clone), as sections with
names; each can be given in the environment instead, which wins. Unknown names are errors. All faults are
reported at once, and nothing starts before there are none.
`;

function describeLeaf(leaf: SettingLeaf): string {
  const value = leaf.defaultValue === null ? 'nothing' : `\`${textOf(leaf.defaultValue)}\``;
  return `- **${leaf.section}.${leaf.name}** (\`${leaf.variable}\`): ${leaf.description}\n  Type: ${leaf.type}. Default: ${value}.${leaf.secret ? ' Never printed.' : ''}`;
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
