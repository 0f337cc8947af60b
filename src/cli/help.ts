// How help looks: aligned, at most 100 columns, bold titles where colours are shown.

import type { HelpConfiguration } from "commander";
import picocolors from "picocolors";

export const HELP_WIDTH = 100;

export function helpLayout(colour: boolean): HelpConfiguration {
  const { bold, cyan } = picocolors.createColors(colour);
  return {
    sortSubcommands: false,
    styleTitle: (title) => bold(title),
    styleSubcommandText: (text) => cyan(text),
    styleOptionText: (text) => cyan(text),
    subcommandTerm: (command) => command.name(),
    optionDescription: (option) => {
      const choices = option.argChoices === undefined ? "" : ` (${option.argChoices.join(", ")})`;
      const preset = option.defaultValue === undefined ? "" : ` [${option.defaultValue}]`;
      return `${option.description}${choices}${preset}`;
    },
    argumentDescription: (argument) =>
      argument.argChoices === undefined
        ? argument.description
        : `${argument.description} (${argument.argChoices.join(", ")})`,
  };
}
