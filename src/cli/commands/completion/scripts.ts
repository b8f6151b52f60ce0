/** What a shell is told: to ask the program itself, which knows its own commands. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# bash completion for coupon-cli: eval "$(coupon-cli completion bash)"
_coupon_cli() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line
  [ "$cur" = "=" ] && cur=""
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = ":files" ]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _coupon_cli coupon-cli
`;

const ZSH = `#compdef coupon-cli
# zsh completion for coupon-cli: source <(coupon-cli completion zsh), or save it as _coupon-cli in a folder of $fpath
_coupon_cli() {
  local line files=
  local -a found
  for line in "\${(@f)$("\${words[1]}" completion words -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done
  (( $#found )) && _describe 'coupon-cli' found
  if [[ -n $files ]]; then
    compset -P '--*='
    _files
  fi
}
if [[ "\${funcstack[1]}" == _coupon-cli ]]; then
  _coupon_cli "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _coupon_cli coupon-cli
fi
`;

const FISH = `# fish completion for coupon-cli: coupon-cli completion fish | source
function __coupon_cli_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] completion words -- $words[2..-1] "$current" 2>/dev/null)
    if test "$line" = ':files'
      __fish_complete_path (string replace -r -- '^--[^=]+=' '' "$current")
    else
      echo $line
    end
  end
end
complete -c coupon-cli -f -a '(__coupon_cli_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
