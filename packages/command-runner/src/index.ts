/** `@flash/command-runner`: run a command, see its lines, end it with all its children. */
export { type CommandOptions, type CommandResult, runCommand } from './run-command.ts';
export { LineSplitter } from './line-splitter.ts';
