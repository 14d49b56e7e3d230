import { type Place, quoted } from './grammar.ts';

/** For a file named _sallyport in a folder of $fpath, or to be evaluated after compinit. */
export function zshScript(places: readonly Place[]): string {
  const known = places.filter(({ words }) => words !== '').map(({ words }) => quoted(words, 'posix'));
  const cases = places.map(
    ({ words, next, options }) => `    ${quoted(words, 'posix')})
      verbs=(${next.map(([word, help]) => described(word, help)).join(' ')})
      options=(${options.map(({ name, help }) => described(`--${name}`, help)).join(' ')})
      valued=(${options.flatMap(({ name, value }) => (value === 'none' ? [] : [`--${name}`])).join(' ')}) ;;`,
  );
  return `#compdef sallyport
# Completion of sallyport for zsh. In ~/.zshrc, after compinit: source <(sallyport completion zsh)
_sallyport() {
  local place='' word at
  local -a verbs options valued
  for ((at = 2; at < CURRENT; at++)); do
    word=$words[at]
    if [[ $word == -- ]]; then
      shift $at words
      (( CURRENT -= at ))
      _normal
      return
    fi
    case "\${place:+$place }$word" in
      ${known.join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  if (( \${valued[(Ie)$words[CURRENT - 1]]} )); then
    _files
  elif [[ $words[CURRENT] == -* ]]; then
    _describe option options
  elif (( $#verbs )); then
    _describe verb verbs
  else
    _files
  fi
}
compdef _sallyport sallyport
`;
}

/** \`word:help\`, as _describe reads it. */
function described(word: string, help: string): string {
  return quoted(`${word}:${help.replaceAll(':', '\\:')}`, 'posix');
}
