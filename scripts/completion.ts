// Completion of commands and options in bash, zsh and fish: npx ferkit completion bash.
import { type Command, Option } from "commander";
import { InputError } from "../src/index.js";
import { settingNames } from "./run-config.js";

/** What can follow a command, as a shell's completion needs it. */
interface Completions {
  name: string;
  description: string;
  options: { flag: string; description: string; values: string[]; takesValue: boolean }[];
}

/** Adds the command that prints a shell's completion script. */
export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .argument("[shell]", "bash, zsh or fish")
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  $ npx ferkit completion bash >> ~/.bashrc\n" +
        "  $ npx ferkit completion zsh >> ~/.zshrc\n" +
        "  $ npx ferkit completion fish > ~/.config/fish/completions/ferkit.fish",
    )
    .action((shell = "no shell") => {
      const commands = program.commands.map((command) => completionsOf(command, settingNames()));
      const scripts: Record<string, () => string> = {
        bash: () => bashScript(commands),
        zsh: () =>
          `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`,
        fish: () => fishScript(commands),
      };
      if (!Object.hasOwn(scripts, shell))
        throw new InputError({
          expected: "bash, zsh or fish",
          found: shell,
          fix: "Choose one of these shells.",
        });
      process.stdout.write(scripts[shell]());
    });
}

function completionsOf(command: Command, settings: string[]): Completions {
  const help = new Option("--help", "display help for command");
  return {
    name: command.name(),
    description: command.description(),
    options: [...command.options, help].map((option) => ({
      flag: option.long ?? "",
      description: option.description,
      values: option.long === "--set" ? settings.map((name) => `${name}=`) : (option.argChoices ?? []),
      takesValue: option.required || option.optional,
    })),
  };
}

/** One function serves `ferkit` and `npx ferkit`; what it does not know is left to the completion of files. */
function bashScript(commands: Completions[]): string {
  const quoted = (words: string[]) => `'${words.join(" ")}'`;
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter((option) => option.values.length > 0)
      .map((option) => `    ${name}:${option.flag}) words=${quoted(option.values)} ;;`),
  );
  const files = [
    ...new Set(commands.flatMap(({ options }) => options.filter((o) => o.takesValue).map((o) => o.flag))),
  ];
  const options = commands.map(
    ({ name, options: all }) => `    ${name}) words=${quoted(all.map((o) => o.flag))} ;;`,
  );
  return `# Completion of ferkit, also after npx.
_ferkit() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" at=1 words=''
  COMPREPLY=()
  if [ "\${COMP_WORDS[0]##*/}" = npx ]; then
    [ "\${COMP_WORDS[1]}" = ferkit ] || return 0
    at=2
  fi
  local command="\${COMP_WORDS[at]}"
  if [ "$COMP_CWORD" -eq "$at" ]; then
    words=${quoted(commands.map(({ name }) => name))}
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return 0
  fi
  case "$command:$previous" in
${values.join("\n")}
  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    case "\${COMPREPLY[0]}" in *=) compopt -o nospace 2>/dev/null ;; esac
    return 0
  fi
  case "$previous" in ${files.join("|")}) return 0 ;; esac
  case "$current" in -*) ;; *) return 0 ;; esac
  case "$command" in
${options.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ferkit ferkit
complete -p npx >/dev/null 2>&1 || complete -o default -F _ferkit npx
`;
}

function fishScript(commands: Completions[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = ["# Completion of ferkit, also after npx."];
  for (const program of ["ferkit", "npx"]) {
    const isHere = program === "npx" ? "__fish_seen_subcommand_from ferkit; and " : "";
    const names = commands.map(({ name }) => name).join(" ");
    for (const { name, description, options } of commands) {
      const first = `${isHere}not __fish_seen_subcommand_from ${names}`;
      lines.push(`complete -c ${program} -n ${quoted(first)} -a ${name} -d ${quoted(description)}`);
      const here = `${isHere}__fish_seen_subcommand_from ${name}`;
      for (const { flag, description: what, values, takesValue } of options) {
        const value = `${takesValue ? " -r" : ""}${values.length > 0 ? ` -a ${quoted(values.join(" "))}` : ""}`;
        lines.push(
          `complete -c ${program} -n ${quoted(here)} -l ${flag.slice(2)}${value} -d ${quoted(what)}`,
        );
      }
    }
  }
  return `${lines.join("\n")}\n`;
}
