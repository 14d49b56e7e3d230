/**
 * What agent hosts call the tools that Claude Code calls so: rules of others name its tools, and mean what those do.
 * From the hosts' documentation: Codex (shell, exec_command, apply_patch), Gemini CLI (run_shell_command, read_file,
 * write_file, replace, glob, search_file_content), Cursor (run_terminal_cmd, edit_file, grep_search), Cline.
 */
const SAME: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'Bash',
    [
      'shell',
      'local_shell',
      'exec_command',
      'run_shell_command',
      'run_terminal_cmd',
      'execute_command',
      'Shell',
    ],
  ],
  ['Read', ['read_file', 'read_many_files', 'ReadFile']],
  ['Write', ['write_file', 'write_to_file', 'create_file', 'apply_patch']],
  ['Edit', ['MultiEdit', 'replace', 'edit_file', 'apply_patch', 'str_replace', 'StrReplace']],
  ['Glob', ['glob', 'find_files', 'list_directory']],
  ['Grep', ['grep_search', 'search_file_content', 'search_files']],
]);

/** The names under which hosts know these tools. */
export function namesOfTools(tools: readonly string[]): readonly string[] {
  return [...new Set(tools.flatMap((tool) => [tool, ...(SAME.get(tool) ?? [])]))];
}
