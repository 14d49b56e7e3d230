import { type Place, quoted } from './grammar.ts';

/** For ~/.config/fish/completions/sallyport.fish. */
export function fishScript(places: readonly Place[]): string {
  const known = places.filter(({ words }) => words !== '').map(({ words }) => quoted(words, 'fish'));
  return `# Completion of sallyport for fish: sallyport completion fish > ~/.config/fish/completions/sallyport.fish
set -g __sallyport_places ${known.join(' ')}
function __sallyport_at
    set -l place ''
    for word in (commandline -opc)[2..-1]
        if test "$word" = --
            set place "$place --"
            break
        end
        set -l longer (string trim -- "$place $word")
        if contains -- "$longer" $__sallyport_places
            set place $longer
        end
    end
    test "$place" = "$argv[1]"
end
complete -c sallyport -f
${places.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ words, next, options, rest }: Place): readonly string[] {
  const at = (place: string) =>
    `complete -c sallyport -n ${quoted(`__sallyport_at ${quoted(place, 'fish')}`, 'fish')}`;
  return [
    ...next.map(([word, help]) => `${at(words)} -a ${word} -d ${quoted(help, 'fish')}`),
    ...options.map(({ name, short, value, help }) =>
      [
        at(words),
        `-l ${name}`,
        ...(short === null ? [] : [`-s ${short}`]),
        ...(value === 'none' ? [] : [value === 'file' ? '-rF' : '-x']),
        `-d ${quoted(help, 'fish')}`,
      ].join(' '),
    ),
    ...(next.length === 0 && !rest ? [`${at(words)} -F`] : []),
    ...(rest
      ? [`${at(`${words} --`)} -a ${quoted('(__fish_complete_subcommand --fcs-skip=3)', 'fish')}`]
      : []),
  ];
}
