import { type Place, quoted } from './grammar.ts';

/** Works in bash 3.2 (macOS) and newer; needs no bash-completion package. */
export function bashScript(places: readonly Place[]): string {
  const known = places.filter(({ words }) => words !== '').map(({ words }) => quoted(words, 'posix'));
  const cases = places.map(
    ({ words, next, options }) => `    ${quoted(words, 'posix')})
      next=${quoted(next.map(([word]) => word).join(' '), 'posix')}
      options=${quoted(options.map(({ name }) => `--${name}`).join(' '), 'posix')}
      files=${quoted(namesWith(options, 'file'), 'posix')}
      texts=${quoted(namesWith(options, 'text'), 'posix')} ;;`,
  );
  return `# Completion of sallyport for bash. In ~/.bashrc: source <(sallyport completion bash)
_sallyport() {
  local current=\${COMP_WORDS[COMP_CWORD]} place='' next='' options='' files='' texts='' at word
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [ "$word" = -- ]; then
      # The command of run: its name, then whatever it takes.
      if ((at + 1 == COMP_CWORD)); then
        COMPREPLY=($(compgen -c -- "$current"))
      else
        COMPREPLY=($(compgen -f -- "$current"))
      fi
      return
    fi
    case "\${place:+$place }$word" in
      ${known.join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  case " $files " in
    *" \${COMP_WORDS[COMP_CWORD - 1]} "*) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case " $texts " in
    *" \${COMP_WORDS[COMP_CWORD - 1]} "*) COMPREPLY=(); return ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) if [ -n "$next" ]; then
         COMPREPLY=($(compgen -W "$next" -- "$current"))
       else
         COMPREPLY=($(compgen -f -- "$current"))
       fi ;;
  esac
}
complete -F _sallyport sallyport
`;
}

function namesWith(options: Place['options'], value: 'file' | 'text'): string {
  return options
    .filter((option) => option.value === value)
    .flatMap(({ name, short }) => (short === null ? [`--${name}`] : [`--${name}`, `-${short}`]))
    .join(' ');
}
